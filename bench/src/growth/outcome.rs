//! What all parts have shown, and the file that it is written to.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use super::sample::Sample;
use crate::{report, statistics::Spread};

/// What a series is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What its sizes count.
    pub(crate) x: &'static str,
    pub(crate) unit: &'static str,
    /// Which figures add up to the cost that is compared.
    pub(crate) cost: &'static [&'static str],
    /// The size that the largest is compared with; `None` if that says nothing.
    pub(crate) from: Option<u32>,
    /// Whether more than the limit is a failure.
    pub(crate) is_limited: bool,
}

/// Samples by size.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) shown: Shown,
    points: BTreeMap<u32, Vec<Sample>>,
}

/// What the samples of one size say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: u32,
    pub(crate) cost: Spread,
    /// Medians.
    pub(crate) figures: BTreeMap<&'static str, f64>,
    /// The most that others took of the processors.
    pub(crate) others: f64,
}

impl Series {
    pub(crate) fn new(shown: Shown) -> Self {
        Self { shown, points: BTreeMap::new() }
    }

    /// Adds what was measured at a size, and says so.
    pub(crate) fn add(&mut self, x: u32, sample: Sample) {
        let Shown { name, x: what, unit, cost, .. } = self.shown;
        let (sum, others) = (sample.sum(cost), sample.others * 1e2);
        eprintln!(
            "{name}: {x} {what}: {sum:.1} {unit} ({}); others took {others:.0} % of the processors",
            cost.join(" + ")
        );
        self.points.entry(x).or_default().push(sample);
    }

    pub(crate) fn points(&self) -> impl Iterator<Item = Point> {
        self.points.iter().filter_map(|(x, samples)| self.point(*x, samples))
    }

    fn point(&self, x: u32, samples: &[Sample]) -> Option<Point> {
        let middle = |name: &str| Spread::of(samples.iter().filter_map(|sample| sample.figures.get(name)).copied());
        let names = samples.first()?.figures.keys();
        Some(Point {
            x,
            cost: Spread::of(samples.iter().map(|sample| sample.sum(self.shown.cost)))?,
            figures: names.filter_map(|name| Some((*name, middle(name)?.median))).collect(),
            others: Spread::of(samples.iter().map(|sample| sample.others))?.max,
        })
    }

    /// Returns how many times the cost at the size that others are compared with the cost at the largest is.
    pub(crate) fn growth(&self) -> Option<f64> {
        let from = self.shown.from?;
        let points: Vec<_> = self.points().collect();
        let small = points.iter().find(|point| point.x == from)?;
        Some(points.last()?.cost.median / small.cost.median)
    }

    /// Returns whether it does not grow beyond this ratio, or may.
    pub(crate) fn is_flat(&self, ratio_max: f64) -> bool {
        !self.shown.is_limited || self.growth().is_none_or(|growth| growth <= ratio_max)
    }

    fn json(&self) -> Value {
        let points: Vec<_> = self.points().map(|point| of_point(&point)).collect();
        let Shown { title, x, unit, cost, from, .. } = self.shown;
        json!({
            "title": title, "x": x, "unit": unit, "cost_of": cost, "points": points,
            "growth": self.growth().map(round), "growth_from": from,
        })
    }
}

fn of_point(point: &Point) -> Value {
    let Point { x, cost, figures, others } = point;
    let figures: Map<_, _> = figures.iter().map(|(name, figure)| ((*name).to_owned(), json!(round(*figure)))).collect();
    json!({
        "x": x, "cost": round(cost.median), "cost_min": round(cost.min), "cost_max": round(cost.max), "figures": figures,
        "others_share_max": round(*others),
    })
}

/// Three decimals are more than any of them is worth.
fn round(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}

/// What all parts have shown.
pub(crate) struct Outcome {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) series: Vec<Series>,
}

impl Outcome {
    pub(crate) fn new(settings: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { settings: settings.into_iter().collect(), series: Vec::new() }
    }

    /// Writes everything to a file.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        report::write(file, &self.json())
    }

    fn json(&self) -> Value {
        let settings: Map<_, _> = self.settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let series = self.series.iter().map(|series| (series.shown.name.to_owned(), series.json()));
        Value::Object(series.chain([("settings".to_owned(), Value::Object(settings))]).collect())
    }
}

#[cfg(test)]
#[path = "outcome_test.rs"]
mod test;
