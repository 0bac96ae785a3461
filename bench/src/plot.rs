//! `make bench-plot`: draws the figures of `make bench`, a panel for each kind of work, or those of `make bench-growth`.

use std::{fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{growth, shape::Shape};

/// What is drawn, and where.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// Which part was measured
    #[arg(value_enum, default_value_t = Part::Speed)]
    part: Part,

    /// The figures [default: target/bench.json, of growth target/bench-growth.json]
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,

    /// The picture [default: docs/performance.svg, of growth docs/growth.svg]
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

/// What can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The fleet beside what the broker alone can do
    Speed,
    /// What a piece of work costs, by what should not make it cost more
    Growth,
}

/// Where bars begin, and how long the longest is.
const LEFT: f64 = 190.0;
const LENGTH: f64 = 430.0;
/// The height of a line, and of a panel's title.
const LINE: f64 = 22.0;
const TITLE: f64 = 34.0;
const WIDTH: f64 = 760.0;

/// A bar.
#[derive(Clone, Debug, PartialEq)]
struct Bar {
    label: String,
    is_ours: bool,
    min: f64,
    median: f64,
    max: f64,
}

/// Draws it.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<()> {
    let (figures, picture, command) = match plan.part {
        Part::Speed => ("target/bench.json", "docs/performance.svg", "make bench"),
        Part::Growth => ("target/bench-growth.json", "docs/growth.svg", "make bench-growth"),
    };
    let file = plan.figures.clone().unwrap_or_else(|| figures.into());
    let text = fs::read_to_string(&file).with_context(|| format!("read {}: {command} writes it", file.display()))?;
    let figures = serde_json::from_str(&text).with_context(|| format!("read {}", file.display()))?;
    let drawn = match plan.part {
        Part::Speed => draw(&figures)?,
        Part::Growth => growth::draw(&figures)?,
    };
    let file = plan.picture.clone().unwrap_or_else(|| picture.into());
    fs::write(&file, drawn).with_context(|| format!("write {}", file.display()))
}

/// Returns the picture of what `make bench` wrote.
fn draw(figures: &Value) -> anyhow::Result<String> {
    let mut body = String::new();
    let mut y = 0.0;
    for shape in Shape::ALL {
        let bars = bars(figures, shape);
        if !bars.is_empty() {
            y = panel(&mut body, y, shape, &bars);
        }
    }
    ensure!(y > 0.0, "there are no figures to draw: run make bench");
    let height = y + 10.0;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{WIDTH:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    ))
}

/// Returns who did this kind of work: of the main fleet everybody, of the others ours.
fn bars(figures: &Value, shape: Shape) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (who, runs) in members(&figures[shape.name()]["runs"]) {
        bars.extend(bar(if who == "ours" { "postgres" } else { who }, who == "ours", &runs["rate"]));
    }
    for (row, shapes) in members(&figures["rows"]) {
        bars.extend(bar(row, true, &shapes[shape.name()]["runs"]["ours"]["rate"]));
    }
    bars.sort_by_key(|bar| !bar.is_ours);
    bars
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn bar(label: &str, is_ours: bool, rate: &Value) -> Option<Bar> {
    let figure = |name: &str| rate[name].as_f64();
    let (min, median, max) = (figure("min")?, figure("median")?, figure("max")?);
    let label = if is_ours { format!("warren, {label}") } else { label.replace('_', " ") };
    Some(Bar { label, is_ours, min, median, max })
}

/// Draws a panel below `y`; returns where it ends.
fn panel(body: &mut String, y: f64, shape: Shape, bars: &[Bar]) -> f64 {
    let (title, unit) = match shape {
        Shape::W1 => ("W1: many instances of one activity", "instances per second"),
        Shape::W2 => ("W2: many instances of five activities in a row", "instances per second"),
        Shape::W3 => ("W3: a thousand activities at once per instance", "activities per second"),
        Shape::L1 => ("L1: one after the other, start to outcome", "milliseconds: less is better"),
    };
    let longest = bars.iter().map(|bar| bar.max).fold(f64::MIN_POSITIVE, f64::max);
    let scale = LENGTH / longest;
    let mut y = y + TITLE;
    let _ = writeln!(
        body,
        "<text x=\"10\" y=\"{:.0}\" font-weight=\"bold\">{title}</text>\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#666666\">{unit}</text>",
        y - 10.0,
        WIDTH - 10.0,
        y - 10.0
    );
    for Bar { label, is_ours, min, median, max } in bars {
        let (middle, length, end) = (y + LINE / 2.0, median * scale, LEFT + max * scale);
        let colour = if *is_ours { "#2f6f9f" } else { "#b8b8b8" };
        let figure = if shape == Shape::L1 { format!("{median:.2}") } else { format!("{median:.0}") };
        let _ = writeln!(
            body,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{LEFT:.0}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"{:.0}\" fill=\"{colour}\"/>\
             <line x1=\"{:.1}\" x2=\"{end:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"#222222\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{figure}</text>",
            LEFT - 8.0,
            middle + 4.5,
            y + 3.0,
            LINE - 6.0,
            LEFT + min * scale,
            end + 8.0,
            middle + 4.5
        );
        y += LINE;
    }
    y
}

#[cfg(test)]
#[path = "plot_test.rs"]
mod test;
