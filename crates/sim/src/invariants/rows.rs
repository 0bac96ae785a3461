//! An instance's row says what its history says, and nothing that is wrong with an orchestrator of the workload.

use std::collections::BTreeSet;

use warren_model::{ConditionKind, InstanceRecord};
use warren_store::Commit;

use super::Violation;
use crate::world::World;

pub(super) fn written(world: &World, commit: &Commit) -> Result<(), Violation> {
    let rows = commit.instances.iter().map(|record| &record.id);
    let touched: BTreeSet<_> = rows.chain(commit.turns.iter().map(|row| &row.key.instance)).collect();
    touched
        .into_iter()
        .filter_map(|id| world.store.home(id).instances.get(id))
        .try_for_each(|record| check(world, record))
}

fn check(world: &World, record: &InstanceRecord) -> Result<(), Violation> {
    let fail = |text: String| Err(Violation::new("rows", format!("instance {}: {text}", record.id)));
    let stored = world.store.home(&record.id).turns_of(&record.id, record.execution).count();
    if stored != record.turn as usize {
        return fail(format!("its row counts {} turns, {stored} are stored", record.turn));
    }
    if let Some(condition) = &record.condition {
        match condition.kind {
            ConditionKind::UnknownOrchestrator | ConditionKind::HistoryLimit => {}
            ConditionKind::Corrupt if condition.message.contains("is damaged") => {}
            // Killings by the dozen may strike the innocent, and a person lets it go on.
            ConditionKind::Quarantined if condition.message.contains("ended without a word") => {}
            ConditionKind::Blocked
            | ConditionKind::Stuck
            | ConditionKind::Panicked
            | ConditionKind::Corrupt
            | ConditionKind::Quarantined => return fail(format!("{:?}: {}", condition.kind, condition.message)),
        }
    }
    let execution = world.ledger.executions.get(&(record.id.clone(), record.execution));
    let has_ended = execution.is_some_and(|execution| matches!(execution.end, Some(Some(_))));
    if has_ended != record.status.is_terminal() {
        return fail(format!("its row says {}, its history ended: {has_ended}", record.status));
    }
    Ok(())
}
