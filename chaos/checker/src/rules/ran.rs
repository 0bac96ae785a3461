//! What histories say was done, an activity really did, and said so itself.

use crate::{Case, Entry, Kind, Verdict, history::Event, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    tasks(world, verdict);
    for case in &world.asked.cases {
        steps(world, case, verdict);
    }
}

/// Each completed task of a history is one run of a ledger, of exactly that task, with exactly that value.
fn tasks(world: &World<'_>, verdict: &mut Verdict) {
    for ((instance, execution), turns) in &world.histories {
        for event in turns.iter().flat_map(|turn| &turn.events) {
            let Event::TaskEnded { id, result: Some(result) } = event else { continue };
            verdict.tasks += 1;
            let run = result.get("run").and_then(serde_json::Value::as_u64);
            let is_run_of = |entry: &&&Entry| {
                entry.instance == *instance && entry.execution == *execution && u64::from(entry.task) == *id
            };
            match run.and_then(|run| world.runs.get(&run)).filter(is_run_of) {
                Some(entry) if result.get("value") == Some(&entry.value.into()) => {}
                Some(entry) => {
                    let evidence = format!("task {id} gave {result} by history, {} by the activity", entry.value);
                    verdict.add(Kind::Wrong, *instance, evidence);
                }
                None => {
                    verdict.add(Kind::Wrong, *instance, format!("task {id} gave {result}, and no activity says so"));
                }
            }
        }
    }
}

/// Each step of a case rests on a run of that step: also those of executions that are over, whose histories are gone.
fn steps(world: &World<'_>, case: &Case, verdict: &mut Verdict) {
    let Some((row, report)) = world.instance(case).and_then(|row| Some((row, world.report(row)?))) else { return };
    for (step, run) in (0_u32..).zip(&report.runs) {
        let is_it = |entry: &&&Entry| entry.case == case.message && entry.step == step;
        if world.runs.get(run).filter(is_it).is_none() {
            verdict.add(Kind::Wrong, &row.id, format!("step {step} rests on run {run}, and no activity says so"));
        }
    }
}
