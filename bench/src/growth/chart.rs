//! The figures as small charts: sizes along a logarithmic axis, the cost from zero, so that what is flat looks flat.

use std::fmt::Write as _;

use anyhow::ensure;
use serde_json::Value;

/// The series in the order in which they are drawn, and whether their cost is on a logarithmic axis, too.
const SERIES: [(&str, bool); 7] = [
    ("history", false),
    ("history-evicted", true),
    ("store", false),
    ("fan-out", false),
    ("workers", false),
    ("replicas", false),
    ("memory", false),
];
/// A chart, and the room for its lines within it.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 226.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 36.0;
const COLUMNS: usize = 2;
/// The least distance of two names.
const NAME: f64 = 10.0;
/// What is compared.
const COST: &str = "#2f6f9f";

/// A line through points.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Returns the picture of what `make bench-growth` wrote.
pub(crate) fn draw(figures: &Value) -> anyhow::Result<String> {
    let there: Vec<_> = SERIES.into_iter().filter(|(name, _)| figures[*name]["points"].is_array()).collect();
    ensure!(!there.is_empty(), "there are no figures to draw: run make bench-growth");
    let mut body = String::new();
    for (at, (name, is_log)) in there.iter().enumerate() {
        let (column, row) = ((at % COLUMNS) as f64, (at / COLUMNS) as f64);
        let _ = writeln!(body, "<g transform=\"translate({:.0} {:.0})\">", column * WIDTH, row * HEIGHT);
        chart(&mut body, name, &figures[*name], *is_log);
        body += "</g>\n";
    }
    let (width, height) = (WIDTH * COLUMNS as f64, HEIGHT * there.len().div_ceil(COLUMNS) as f64);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    ))
}

fn chart(body: &mut String, name: &str, series: &Value, is_log: bool) {
    let mut lines = lines(series);
    // On a logarithmic axis nobody sees what parts add up to.
    lines.truncate(if is_log { 1 } else { lines.len() });
    let text = |name: &str| series[name].as_str().unwrap_or_default();
    let (unit, title, x) = (text("unit"), text("title"), text("x"));
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - 6.0);
    let _ = writeln!(
        body,
        "<text x=\"{LEFT:.0}\" y=\"18\" font-weight=\"bold\">{name}</text>\
         <text x=\"{LEFT:.0}\" y=\"32\" font-size=\"10\">{unit}: {title}</text>\
         <text x=\"{right:.0}\" y=\"{bottom:.0}\" text-anchor=\"end\" fill=\"#666666\">{x}</text>"
    );
    let frame = Frame::around(&lines, is_log);
    frame.draw(body, &lines[0]);
    lines.iter().enumerate().rev().for_each(|(at, line)| polyline(body, line, at == 0, &frame));
    names(body, &lines, &frame);
}

/// The room for the lines of a chart, and what its edges stand for.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    is_log: bool,
}

impl Frame {
    fn around(lines: &[Line], is_log: bool) -> Self {
        let all = || lines.iter().flat_map(|line| &line.points);
        let most = |figures: &mut dyn Iterator<Item = f64>| figures.fold(f64::MIN_POSITIVE, f64::max);
        let least = |figures: &mut dyn Iterator<Item = f64>| figures.fold(f64::INFINITY, f64::min);
        let low = if is_log { least(&mut all().map(|(_, y)| *y)) } else { 0.0 };
        let x = (least(&mut all().map(|(x, _)| *x)), most(&mut all().map(|(x, _)| *x)));
        Self { x, y: (low, most(&mut all().map(|(_, y)| *y))), is_log }
    }

    fn along(&self, x: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * share(x.ln(), self.x.0.ln(), self.x.1.ln())
    }

    fn up(&self, y: f64) -> f64 {
        let (low, high) = self.y;
        let share = if self.is_log { share(y.ln(), low.ln(), high.ln()) } else { share(y, low, high) };
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    }

    /// Draws lines across at some heights, and the sizes below.
    fn draw(&self, body: &mut String, sizes: &Line) {
        let (low, high) = self.y;
        for y in if self.is_log { vec![low, high] } else { vec![low, high / 2.0, high] } {
            let (height, end) = (self.up(y), WIDTH - RIGHT);
            let _ = writeln!(
                body,
                "<line x1=\"{LEFT:.0}\" x2=\"{end:.0}\" y1=\"{height:.1}\" y2=\"{height:.1}\" stroke=\"#dddddd\"/>\
                 <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{y:.0}</text>",
                LEFT - 6.0,
                height + 4.0
            );
        }
        for (x, _) in &sizes.points {
            let (place, below) = (self.along(*x), HEIGHT - BOTTOM + 15.0);
            let _ =
                writeln!(body, "<text x=\"{place:.1}\" y=\"{below:.0}\" text-anchor=\"middle\">{}</text>", short(*x));
        }
    }
}

/// Returns the cost first, then what it is made of, if it is of several, and what else is in the same unit.
fn lines(series: &Value) -> Vec<Line> {
    let points = series["points"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |name: &str, figure: fn(&Value, &str) -> Option<f64>| Line {
        name: name.to_owned(),
        points: points.iter().filter_map(|point| Some((point["x"].as_f64()?, figure(point, name)?))).collect(),
    };
    let cost: Vec<&str> = series["cost_of"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let others = points.first().and_then(|point| point["figures"].as_object()).into_iter().flatten();
    let names: Vec<&str> = match cost[..] {
        // The other figures are of what is not compared.
        [one] => others.map(|(name, _)| name.as_str()).filter(|name| *name != one && *name != "wall").collect(),
        _ => cost.clone(),
    };
    let name = if cost.len() > 2 { "all".to_owned() } else { cost.join(" + ") };
    let sum = Line { name, ..of("", |point, _| point["cost"].as_f64()) };
    let parts = names.into_iter().map(|name| of(name, |point, name| point["figures"][name].as_f64()));
    [sum].into_iter().chain(parts).collect()
}

fn polyline(body: &mut String, line: &Line, is_cost: bool, frame: &Frame) {
    let (colour, width) = if is_cost { (COST, 2.5) } else { ("#a8a8a8", 1.2) };
    let points: Vec<(f64, f64)> = line.points.iter().map(|(x, y)| (frame.along(*x), frame.up(*y))).collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        body,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
        path.join(" ")
    );
    for (x, y) in points.iter().filter(|_| is_cost) {
        let _ = writeln!(body, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

/// Writes the names of lines above their ends, and moves apart those that would cover each other.
fn names(body: &mut String, lines: &[Line], frame: &Frame) {
    let place = |line: &Line| line.points.last().map_or(0.0, |(_, y)| frame.up(*y) - 5.0);
    let mut ends: Vec<(f64, &Line)> = lines.iter().map(|line| (place(line), line)).collect();
    ends.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut above = f64::INFINITY;
    for (y, line) in ends {
        above = y.min(above - NAME);
        let (x, shade) = (WIDTH - RIGHT - 4.0, if line == &lines[0] { COST } else { "#777777" });
        let _ = writeln!(
            body,
            "<text x=\"{x:.1}\" y=\"{above:.1}\" text-anchor=\"end\" font-size=\"9\" fill=\"{shade}\">{}</text>",
            line.name
        );
    }
}

/// Returns which share of the way from one number to another a third lies; the middle if there is no way.
fn share(of: f64, from: f64, to: f64) -> f64 {
    if to > from { (of - from) / (to - from) } else { 0.5 }
}

fn short(number: f64) -> String {
    match number {
        millions if millions >= 1e6 => format!("{}M", millions / 1e6),
        thousands if thousands >= 1e3 => format!("{}k", thousands / 1e3),
        few => few.to_string(),
    }
}

#[cfg(test)]
#[path = "chart_test.rs"]
mod test;
