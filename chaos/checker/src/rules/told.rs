//! Whatever clients were told agrees with the histories, and with what other clients were told.

use crate::{Kind, Verdict, judge::World};

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
            None => false,
        };
        if !is_same {
            let held = world.outcome(row);
            let evidence = format!("a client was told {} {}, history holds {held:?}", told.status, told.body);
            verdict.add(Kind::Duplicated, &row.id, evidence);
        }
    }
}

/// One message, one instance: whoever asked, and however often. The executions that an instance had before it continued
/// as new are gone, so they can't be compared with the last; the first answers can, with each other.
fn answers(world: &World<'_>, verdict: &mut Verdict) {
    for answered in &world.asked.answered {
        let ids: Vec<&str> =
            world.by_start.get(answered.message.as_str()).into_iter().flatten().map(|row| row.id.as_str()).collect();
        if ids != [answered.instance.as_str()] {
            let kind = if ids.is_empty() { Kind::Lost } else { Kind::Duplicated };
            let evidence = format!("was answered with instance {}, the hub has {ids:?}", answered.instance);
            verdict.add(kind, &answered.message, evidence);
        }
    }
}
