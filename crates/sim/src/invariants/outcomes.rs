//! Each start gets exactly one outcome, and equal ones if it is told several times: the one that history holds, and one
//! that the workload allows.

use warren_model::{InstanceId, Outcome, Status};

use super::Violation;
use crate::world::World;

/// A client was told an outcome.
pub(crate) fn told(
    world: &mut World,
    instance: &InstanceId,
    status: Status,
    outcome: &Outcome,
) -> Result<(), Violation> {
    let fail = |text: String| Err(Violation::new("outcomes", format!("instance {instance}: {text}")));
    let now = (status, outcome.clone());
    let before = world.ledger.told.entry(instance.clone()).or_insert_with(|| now.clone());
    if *before != now {
        return fail(format!("a client was told {before:?} and then {now:?}"));
    }
    match world.ledger.ended.get(instance) {
        Some((_, status, outcome)) if (*status, outcome.clone()) == now => Ok(()),
        other => fail(format!("a client was told {now:?}, its history says {other:?}")),
    }
}

/// Every instance of the workload has ended as it may.
pub(super) fn check(world: &World) -> Result<(), Violation> {
    for (instance, expect) in &world.ledger.expected {
        let Some((_, _, outcome)) = world.ledger.ended.get(instance) else {
            return Err(Violation::new("outcomes", format!("instance {instance} has not ended")));
        };
        if !expect.allows(outcome) {
            let text = format!("instance {instance} ended with {outcome:?}, expected {expect:?}");
            return Err(Violation::new("outcomes", text));
        }
    }
    for (instance, status) in &world.ledger.shown {
        let record = world.store.home(instance).instances.get(instance);
        let shown = record.and_then(|record| record.custom_status.as_ref()).map(|shown| shown.as_str());
        let has_ended_well = record.is_some_and(|record| record.status == Status::Completed);
        if has_ended_well && shown != Some(status.as_str()) {
            let text = format!("instance {instance} shows {shown:?}, expected {status}");
            return Err(Violation::new("outcomes", text));
        }
    }
    Ok(())
}
