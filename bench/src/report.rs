//! What was measured.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::{Value, json};

/// The middle of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Figures in the order in which they were found, printed as they come.
#[derive(Default)]
pub(crate) struct Report(serde_json::Map<String, Value>);

impl Report {
    /// Notes a figure.
    pub(crate) fn note(&mut self, name: &str, figure: f64) {
        // Three decimals are more than any of them is worth.
        let figure = (figure * 1e3).round() / 1e3;
        eprintln!("{name:<34} {figure}");
        self.0.insert(name.into(), json!(figure));
    }

    /// Returns a figure.
    pub(crate) fn get(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// Writes all of them to a file.
    pub(crate) fn write(self, file: &Path) -> anyhow::Result<()> {
        write(file, &Value::Object(self.0))
    }
}

/// Writes figures to a file.
pub(crate) fn write(file: &Path, figures: &Value) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(figures)?;
    fs::write(file, text + "\n").with_context(|| format!("write {}", file.display()))
}
