//! Whatever clients were told agrees with the histories, and with what other clients were told.

use std::collections::HashSet;

use crate::{Answered, InstanceRow, Kind, Verdict, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    outcomes(world, verdict);
    answers(world, verdict);
}

/// Every outcome that anybody was told is the one that history holds, to the last run that it rests on.
fn outcomes(world: &World<'_>, verdict: &mut Verdict) {
    for told in &world.asked.told {
        let Some(row) = world.by_id.get(told.instance.as_str()) else {
            verdict.add(Kind::Lost, &told.instance, "its outcome was told, and there is no such instance");
            continue;
        };
        if row.start_id != told.message {
            let evidence = format!("its outcome was told for {}, it was started by {}", told.message, row.start_id);
            verdict.add(Kind::Duplicated, &row.id, evidence);
        }
        let is_same = match world.outcome(row) {
            Some(Ok(result)) => told.status == "Completed" && *result == told.body,
            Some(Err(_)) => told.status == "Failed",
            None => told.status == "Terminated" && row.status == "Terminated",
        };
        if !is_same {
            let held = world.outcome(row);
            let evidence = format!("a client was told {} {}, history holds {held:?}", told.status, told.body);
            verdict.add(Kind::Duplicated, &row.id, evidence);
        }
    }
}

/// One message, one instance and one first execution: whoever asked, and however often.
fn answers(world: &World<'_>, verdict: &mut Verdict) {
    let continuing: HashSet<&str> =
        world.asked.cases.iter().filter(|case| case.continues).map(|case| case.message.as_str()).collect();
    for Answered { message, instance, execution } in &world.asked.answered {
        let rows = world.by_start.get(message.as_str()).map_or(&[][..], Vec::as_slice);
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        if ids != [instance.as_str()] {
            let kind = if ids.is_empty() { Kind::Lost } else { Kind::Duplicated };
            verdict.add(kind, message, format!("was answered with instance {instance}, the hub has {ids:?}"));
        }
        let is_other = |row: &&&InstanceRow| execution.as_ref().is_some_and(|execution| *execution != row.execution);
        // The executions that an instance had before it continued as new are gone: nothing to compare with.
        if let Some(row) = rows.first().filter(is_other).filter(|_| !continuing.contains(message.as_str())) {
            let evidence = format!("was answered with execution {execution:?}, the hub has {}", row.execution);
            verdict.add(Kind::Duplicated, message, evidence);
        }
    }
}
