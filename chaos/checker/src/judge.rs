//! The judge: lays out what is known, and lets every rule look at it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::{
    Asked, Case, Entry, Hub, InstanceRow, Kind, Report, Verdict, What,
    history::{Event, read_turn},
    rules,
};

/// What is known, laid out for the rules.
pub(crate) struct World<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) hub: &'a Hub,
    /// Instances by id.
    pub(crate) by_id: HashMap<&'a str, &'a InstanceRow>,
    /// The instances that each message started.
    pub(crate) by_start: HashMap<&'a str, Vec<&'a InstanceRow>>,
    /// What is stored of each execution, by instance and execution.
    pub(crate) histories: BTreeMap<(&'a str, &'a str), Vec<Turn>>,
    /// The runs that returned.
    pub(crate) runs: HashMap<u64, &'a Entry>,
    /// All that the activities wrote down.
    pub(crate) ledger: &'a [Entry],
}

/// A turn that could be read.
pub(crate) struct Turn {
    pub(crate) number: i64,
    pub(crate) events: Vec<Event>,
}

/// Judges what a hub holds after everything has ended, against what was asked for and what the activities wrote down.
pub fn judge(asked: &Asked, hub: &Hub, ledger: &[Entry]) -> Verdict {
    let mut verdict = Verdict {
        instances: asked.cases.len(),
        with_children: hub.instances.len(),
        payloads: hub.payloads,
        ..Verdict::default()
    };
    let world = World::new(asked, hub, ledger, &mut verdict);
    rules::ended::check(&world, &mut verdict);
    rules::once::check(&world, &mut verdict);
    rules::told::check(&world, &mut verdict);
    rules::turns::check(&world, &mut verdict);
    rules::timers::check(&world, &mut verdict);
    rules::ran::check(&world, &mut verdict);
    rules::children::check(&world, &mut verdict);
    rules::rest::check(&world, &mut verdict);
    rules::stopped::check(&world, &mut verdict);
    count_runs(ledger, &mut verdict);
    verdict.violations.sort();
    verdict
}

impl<'a> World<'a> {
    fn new(asked: &'a Asked, hub: &'a Hub, ledger: &'a [Entry], verdict: &mut Verdict) -> Self {
        let mut by_start: HashMap<&str, Vec<&InstanceRow>> = HashMap::new();
        for row in &hub.instances {
            by_start.entry(&row.start_id).or_default().push(row);
        }
        let mut histories: BTreeMap<(&str, &str), Vec<Turn>> = BTreeMap::new();
        for row in &hub.turns {
            match read_turn(&row.body) {
                Ok(events) => {
                    let turn = Turn { number: row.turn, events };
                    histories.entry((&row.instance, &row.execution)).or_default().push(turn);
                }
                Err(why) => verdict.add(Kind::Wrong, &row.instance, format!("turn {} {why}", row.turn)),
            }
        }
        Self {
            asked,
            hub,
            by_id: hub.instances.iter().map(|row| (row.id.as_str(), row)).collect(),
            by_start,
            histories,
            runs: ledger.iter().filter(|entry| entry.what == What::Returned).map(|entry| (entry.run, entry)).collect(),
            ledger,
        }
    }

    /// Returns the instance that a case became, if there is exactly one.
    pub(crate) fn instance(&self, case: &Case) -> Option<&'a InstanceRow> {
        match self.by_start.get(case.message.as_str())?.as_slice() {
            [row] => Some(row),
            _ => None,
        }
    }

    /// Returns all events of an instance's last execution, in order.
    pub(crate) fn events<'s>(&'s self, row: &'s InstanceRow) -> impl Iterator<Item = &'s Event> {
        let turns = self.histories.get(&(row.id.as_str(), row.execution.as_str()));
        turns.into_iter().flatten().flat_map(|turn| &turn.events)
    }

    /// Returns what an instance's history says that it returned.
    pub(crate) fn outcome<'s>(&'s self, row: &'s InstanceRow) -> Option<&'s Result<Value, Value>> {
        self.events(row).find_map(|event| if let Event::Completed(outcome) = event { Some(outcome) } else { None })
    }

    /// Returns an instance's report, if it returned one.
    pub(crate) fn report(&self, row: &InstanceRow) -> Option<Report> {
        serde_json::from_value(self.outcome(row)?.as_ref().ok()?.clone()).ok()
    }
}

fn count_runs(ledger: &[Entry], verdict: &mut Verdict) {
    let begun = ledger.iter().filter(|entry| entry.what == What::Began);
    let mut calls = HashSet::new();
    for entry in begun {
        verdict.runs += 1;
        if !calls.insert((&entry.execution, entry.task, entry.attempt)) {
            verdict.runs_repeated += 1;
        }
    }
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod test;
