//! A finished instance emits nothing: no timer, no pending message, nothing in the outbox but what its last turn sent.

use std::collections::BTreeSet;

use warren_model::InstanceId;
use warren_store::Commit;

use super::Violation;
use crate::world::World;

pub(super) fn written(world: &World, commit: &Commit) -> Result<(), Violation> {
    let rows = commit.instances.iter().map(|record| &record.id);
    let turns = commit.turns.iter().map(|row| &row.key.instance);
    let timers = commit.timers.iter().map(|row| &row.instance);
    let pending = commit.pending.iter().map(|row| &row.instance);
    let touched: BTreeSet<&InstanceId> = rows.chain(turns).chain(timers).chain(pending).collect();
    touched.into_iter().try_for_each(|id| check(world, id))
}

/// Checks one instance.
pub(super) fn check(world: &World, id: &InstanceId) -> Result<(), Violation> {
    let tables = world.store.home(id);
    let has_ended = tables.instances.get(id).is_some_and(|record| record.status.is_terminal());
    if !has_ended {
        return Ok(());
    }
    if let Some(timer) = tables.timers_of(id).next() {
        return Err(Violation::new("quiet", format!("instance {id} has ended, its timer {} has not", timer.id)));
    }
    if let Some(row) = tables.task_notes.values().find(|row| row.instance == *id) {
        return Err(Violation::new("quiet", format!("instance {id} has ended, its task {} is suspected", row.id)));
    }
    if let Some(row) = tables.pending_of(id).next() {
        let text = format!("instance {id} has ended and holds a message at {}: {:?}", row.position, row.message);
        return Err(Violation::new("quiet", text));
    }
    Ok(())
}
