//! What all runs have shown, and the file that it is written to.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    bout::{Bout, Cost},
    contender::Contender,
    plan::Row,
};
use crate::{report, shape::Shape, statistics::Spread};

/// Something that holds for the whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    pub(crate) fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// What the runs of one contender have shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    /// Instances or activities per second, of each run; of L1, milliseconds in the middle.
    rates: Vec<f64>,
    pub(crate) rate: Spread,
    pub(crate) p50_ms: Spread,
    pub(crate) p99_ms: Spread,
    /// Medians by process, per instance.
    pub(crate) cpu_us: BTreeMap<&'static str, f64>,
    pub(crate) cost: Option<Cost>,
    /// The most that others took of the processors in one of the runs.
    pub(crate) others: f64,
    /// How many began on an idle machine, and how many there were.
    pub(crate) idle: (usize, usize),
}

impl Summary {
    /// Returns the summary of some runs; `None` of none.
    pub(crate) fn of(bouts: &[Bout]) -> Option<Self> {
        let spread = |figure: fn(&Bout) -> f64| Spread::of(bouts.iter().map(figure));
        let names = bouts.first()?.cpu_us.keys();
        let middle = |name: &str| Spread::of(bouts.iter().map(|bout| bout.cpu_us[name])).map(|spread| spread.median);
        Some(Self {
            rates: bouts.iter().map(Bout::rate).collect(),
            rate: spread(Bout::rate)?,
            p50_ms: spread(|bout| bout.figures.p50_ms)?,
            p99_ms: spread(|bout| bout.figures.p99_ms)?,
            cpu_us: names.filter_map(|name| Some((*name, middle(name)?))).collect(),
            cost: bouts.iter().find_map(|bout| bout.cost),
            others: spread(|bout| bout.others)?.max,
            idle: (bouts.iter().filter(|bout| bout.is_idle).count(), bouts.len()),
        })
    }
}

/// What all runs have shown.
pub(crate) struct Outcome {
    pub(crate) settings: Vec<Setting>,
    pub(crate) rows: BTreeMap<(Row, Shape), BTreeMap<Contender, Summary>>,
}

impl Outcome {
    pub(crate) fn new(settings: Vec<Setting>) -> Self {
        Self { settings, rows: BTreeMap::new() }
    }

    /// Notes what else holds.
    pub(crate) fn seen(&mut self, setting: Setting) {
        self.settings.push(setting);
    }

    /// Notes what the runs of one row have shown.
    pub(crate) fn add(&mut self, row: Row, shape: Shape, bouts: &BTreeMap<Contender, Vec<Bout>>) {
        let summaries = bouts.iter().filter_map(|(contender, bouts)| Some((*contender, Summary::of(bouts)?)));
        self.rows.insert((row, shape), summaries.collect());
    }

    /// Writes everything to a file.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        report::write(file, &self.json())
    }

    /// Returns everything: the main row's kinds of work at the top, the others' below `rows`.
    pub(crate) fn json(&self) -> Value {
        let mut all = Map::new();
        let mut others: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for ((row, shape), summaries) in &self.rows {
            let place = if *row == Row::Postgres { &mut all } else { others.entry(row.name()).or_default() };
            place.insert(shape.name().into(), of_shape(*shape, summaries));
        }
        all.insert("rows".into(), json!(others));
        all.insert("settings".into(), self.settings.iter().map(|it| (it.name.clone(), json!(it.value))).collect());
        Value::Object(all)
    }
}

/// Returns how much of the limit is reached; of times, how much longer ours takes. Each run is compared with that of its
/// round: the machine may be a third slower a few minutes later.
pub(crate) fn ratio(summaries: &BTreeMap<Contender, Summary>, ours: Contender, limit: Contender) -> Option<Spread> {
    let (ours, limit) = (summaries.get(&ours)?, summaries.get(&limit)?);
    Spread::of(ours.rates.iter().zip(&limit.rates).map(|(ours, limit)| ours / limit))
}

fn of_shape(shape: Shape, summaries: &BTreeMap<Contender, Summary>) -> Value {
    let median =
        |contender, figure: fn(&Summary) -> Spread| summaries.get(&contender).map(|it| round(figure(it).median));
    let mut all = Map::new();
    for (name, ours, limit) in [
        ("ratio", Contender::Ours, Contender::Limit),
        ("packed_ratio", Contender::Packed, Contender::Limit),
        ("limit_queue_ratio", Contender::Ours, Contender::LimitQueue),
        ("commit_path_ratio", Contender::Path, Contender::Limit),
    ] {
        let ratio = ratio(summaries, ours, limit);
        all.insert(name.into(), json!(ratio.map(|ratio| round(ratio.median))));
        all.insert(format!("{name}_runs"), json!(ratio.map(of_spread)));
    }
    let mut add = |name: &str, value: Value| all.insert(name.into(), value);
    match shape {
        Shape::W1 | Shape::W2 | Shape::W3 => {
            add("ours", json!(median(Contender::Ours, |it| it.rate)));
            add("packed", json!(median(Contender::Packed, |it| it.rate)));
            add("limit", json!(median(Contender::Limit, |it| it.rate)));
        }
        Shape::L1 => {
            add("p50_ms", json!(median(Contender::Ours, |it| it.p50_ms)));
            add("p99_ms", json!(median(Contender::Ours, |it| it.p99_ms)));
            add("limit_p50_ms", json!(median(Contender::Limit, |it| it.p50_ms)));
            add("limit_p99_ms", json!(median(Contender::Limit, |it| it.p99_ms)));
        }
    }
    if let Some(ours) = summaries.get(&Contender::Ours) {
        add("cpu_us", json!(rounded(&ours.cpu_us)));
        let packed = summaries.get(&Contender::Packed);
        add("packed_cpu_us", json!(packed.map(|packed| rounded(&packed.cpu_us))));
        add("per_activity", ours.cost.map_or(Value::Null, per_activity));
    }
    let runs: Map<_, _> = summaries.iter().map(|(contender, it)| (contender.name().to_owned(), of_runs(it))).collect();
    add("runs", Value::Object(runs));
    Value::Object(all)
}

fn per_activity(cost: Cost) -> Value {
    let Cost { messages, bytes, commits, rows, log_bytes } = cost;
    json!({
        "messages": round(messages), "bytes": round(bytes), "commits": commits.map(round), "rows": rows.map(round),
        "log_bytes": log_bytes.map(round),
    })
}

fn of_runs(summary: &Summary) -> Value {
    json!({
        "rate": of_spread(summary.rate), "p50_ms": of_spread(summary.p50_ms), "p99_ms": of_spread(summary.p99_ms),
        "cpu_us": rounded(&summary.cpu_us), "runs": summary.idle.1, "runs_on_an_idle_machine": summary.idle.0,
        "others_share_max": round(summary.others),
    })
}

fn of_spread(spread: Spread) -> Value {
    json!({"min": round(spread.min), "median": round(spread.median), "max": round(spread.max)})
}

fn rounded(figures: &BTreeMap<&'static str, f64>) -> BTreeMap<&'static str, f64> {
    figures.iter().map(|(name, figure)| (*name, round(*figure))).collect()
}

/// Three decimals are more than any of them is worth.
fn round(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}

/// Returns what the machine is.
pub(crate) fn machine() -> Vec<Setting> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown", |(_, model)| model.trim());
    vec![Setting::new("cores", cores.to_string()), Setting::new("processor", model)]
}

#[cfg(test)]
#[path = "outcome_test.rs"]
mod test;
