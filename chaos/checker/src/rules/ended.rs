//! Every instance that was asked for ended, with the number that its input asks for and every event that it was sent.

use std::collections::BTreeSet;

use crate::{Case, End, Kind, Verdict, hub::is_over, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for case in &world.asked.cases {
        match fault(world, case) {
            None => verdict.completed += 1,
            Some((kind, evidence)) => {
                let of = world.instance(case).map_or(&case.message, |row| &row.id);
                verdict.add(kind, of, evidence);
            }
        }
        taken(world, case, verdict);
    }
}

/// Returns what is wrong with the end of a case, if anything is.
fn fault(world: &World<'_>, case: &Case) -> Option<(Kind, String)> {
    let Some(row) = world.instance(case) else {
        let found = world.by_start.get(case.message.as_str()).map_or(0, Vec::len);
        return Some(match found {
            0 => (Kind::Lost, format!("no instance of {} has this start", case.orchestrator)),
            _ => (Kind::Duplicated, format!("{found} instances have this start")),
        });
    };
    if case.instance.as_ref().is_some_and(|id| *id != row.id) || row.name != case.orchestrator {
        let asked = case.instance.as_deref().unwrap_or("any id");
        return Some((Kind::Wrong, format!("is {}, asked for was {} as {asked}", row.name, case.orchestrator)));
    }
    if row.status != case.end.status() {
        let condition = row.condition.as_deref().unwrap_or("no condition");
        let outcome = world.outcome(row).map(|outcome| format!(", {outcome:?}")).unwrap_or_default();
        let must = case.end.status();
        let kind = if is_over(&row.status) { Kind::Wrong } else { Kind::Lost };
        return Some((
            kind,
            format!("is {} after turn {}, must be {must}; {condition}{outcome}", row.status, row.turn),
        ));
    }
    let End::Returns(value) = case.end else { return None };
    match world.report(row) {
        None => Some((Kind::Wrong, "is Completed, and its history does not say with what".into())),
        Some(report) if report.value != value => {
            Some((Kind::Wrong, format!("returned {}, its input asks for {value}", report.value)))
        }
        Some(report) if report.runs.len() != case.steps as usize => {
            Some((Kind::Wrong, format!("rests on {} runs, its input asks for {}", report.runs.len(), case.steps)))
        }
        Some(_) => None,
    }
}

/// Each event that was raised was taken exactly once.
fn taken(world: &World<'_>, case: &Case, verdict: &mut Verdict) {
    let Some((row, report)) = world.instance(case).and_then(|row| Some((row, world.report(row)?))) else { return };
    let mut seen = BTreeSet::new();
    for serial in &report.signals {
        verdict.signals += 1;
        if !case.signals.contains(serial) {
            verdict.add(Kind::Wrong, &row.id, format!("took event {serial}, which nobody sent"));
        }
        if !seen.insert(*serial) {
            verdict.add(Kind::Duplicated, &row.id, format!("took event {serial} twice"));
        }
    }
    for serial in case.signals.difference(&seen) {
        verdict.add(Kind::Lost, &row.id, format!("never took event {serial}"));
    }
}
