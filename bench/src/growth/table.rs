//! What people read.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use super::outcome::{Outcome, Point, Series, Shown};

/// Everything that may be measured, in the order of a message's way.
const FIGURES: [&str; 8] = ["client", "orchestrator", "worker", "broker", "database", "wall", "cached", "waiting"];

/// Prints everything.
pub(crate) fn print(outcome: &Outcome, ratio_max: f64) -> anyhow::Result<()> {
    Ok(io::stdout().lock().write_all(show(outcome, ratio_max).as_bytes())?)
}

/// Returns everything as text.
pub(crate) fn show(outcome: &Outcome, ratio_max: f64) -> String {
    let mut text = String::from("\n");
    for (name, value) in &outcome.settings {
        let _ = writeln!(text, "{name:<30} {value}");
    }
    outcome.series.iter().for_each(|series| table(&mut text, series, ratio_max));
    text
}

fn table(text: &mut String, series: &Series, ratio_max: f64) {
    let Shown { name, title, x, unit, cost, from, is_limited } = series.shown;
    let points: Vec<Point> = series.points().collect();
    let is_there = |name: &&&str| points.iter().any(|point| point.figures.contains_key(**name));
    let figures: Vec<&str> = FIGURES.iter().filter(is_there).copied().collect();
    let _ = write!(text, "\n{name}: {title}\n{x:>10} {:>32}", format!("{unit} ({})", cost.join(" + ")));
    for name in &figures {
        let _ = write!(text, " {name:>12}");
    }
    let _ = writeln!(text, " {:>8}", "others");
    for Point { x, cost, figures: all, others } in &points {
        let spread = format!("{cost:.1}");
        let _ = write!(text, "{x:>10} {spread:>32}");
        for name in &figures {
            let figure = all.get(name).map_or("-".to_owned(), |figure| format!("{figure:.1}"));
            let _ = write!(text, " {figure:>12}");
        }
        let _ = writeln!(text, " {:>6.0} %", others * 1e2);
    }
    if let (Some(growth), Some(from)) = (series.growth(), from) {
        let verdict = match (is_limited, series.is_flat(ratio_max)) {
            (false, _) => "",
            (true, true) => ": flat",
            (true, false) => &format!(", and {ratio_max} is allowed"),
        };
        let _ = writeln!(text, "at the largest {growth:.2} times as much as at {from}{verdict}");
    }
}
