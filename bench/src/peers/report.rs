//! The comparison, as a table and as a file.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::{OURS, Said};
use crate::{shape::Shape, statistics::Spread};

/// What each engine has reached, by kind of work.
#[derive(Debug, Default)]
pub(super) struct Report(BTreeMap<Shape, BTreeMap<String, Reached>>);

/// What one engine has reached.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reached {
    /// Instances or activities per second; of L1, milliseconds in the middle.
    rate: Spread,
    p99_ms: f64,
}

impl Report {
    /// Notes what the runs of one engine have shown.
    pub(super) fn add(&mut self, shape: Shape, name: String, runs: &[Said]) {
        let rate = |said: &Said| match shape {
            Shape::W1 | Shape::W2 => said.instances_s,
            Shape::W3 => said.activities_s,
            Shape::L1 => said.p50_ms,
        };
        let (rate, p99) = (Spread::of(runs.iter().map(rate)), Spread::of(runs.iter().map(|said| said.p99_ms)));
        if let (Some(rate), Some(p99)) = (rate, p99) {
            self.0.entry(shape).or_default().insert(name, Reached { rate, p99_ms: p99.median });
        }
    }

    /// Returns how many times better ours is: more per second, or less time.
    fn times(&self, shape: Shape, name: &str) -> Option<f64> {
        let all = self.0.get(&shape)?;
        let (ours, theirs) = (all.get(OURS)?.rate.median, all.get(name)?.rate.median);
        Some(match shape {
            Shape::W1 | Shape::W2 | Shape::W3 => ours / theirs,
            Shape::L1 => theirs / ours,
        })
    }

    /// Prints it.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        Ok(io::stdout().lock().write_all(self.show().as_bytes())?)
    }

    fn show(&self) -> String {
        let mut text = format!(
            "\n{:<3} {:<10} {:>30} {:<13} {:>15}\n",
            "", "engine", "median (min to max)", "", "warren is better"
        );
        for (shape, engines) in &self.0 {
            for (name, Reached { rate, p99_ms }) in engines {
                let (rate, unit) = (format!("{rate:.*}", shape.decimals()), shape.unit());
                let times = self.times(*shape, name).filter(|_| name != OURS);
                let times = times.map_or(String::new(), |times| format!("{times:.1} times"));
                let p99 = if *shape == Shape::L1 { format!("  p99 {p99_ms:.2} ms") } else { String::new() };
                let _ = writeln!(text, "{:<3} {name:<10} {rate:>30} {unit:<13} {times:>15}{p99}", shape.name());
            }
        }
        text
    }

    /// Writes it to a file.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&self.json())?;
        fs::write(file, text + "\n").with_context(|| format!("write {}", file.display()))
    }

    fn json(&self) -> Value {
        let mut all = Map::new();
        for (shape, engines) in &self.0 {
            let engines = engines.iter().map(|(name, Reached { rate, p99_ms })| {
                (name.clone(), json!({"rate": rate, "p99_ms": p99_ms, "ours_is_better": self.times(*shape, name)}))
            });
            all.insert(shape.name().into(), Value::Object(engines.collect()));
        }
        Value::Object(all)
    }
}

#[cfg(test)]
#[path = "report_test.rs"]
mod test;
