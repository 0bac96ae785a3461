//! Histories only grow within an execution, turn by turn; a result is applied at most once; timers never fire early.

use warren_model::{Event, TurnRecord};
use warren_store::{Commit, TurnRow};

use super::Violation;
use crate::world::World;

pub(super) fn written(world: &mut World, commit: &Commit) -> Result<(), Violation> {
    for record in &commit.instances {
        world.ledger.born.entry(record.id.clone()).or_insert(world.now);
    }
    for row in &commit.turns {
        let turn: TurnRecord = serde_json::from_str(&row.body)
            .map_err(|error| Violation::new("history", format!("{} can't be read: {error}", row.key)))?;
        take(world, row, &turn)?;
        note(world, row, &turn);
    }
    Ok(())
}

fn take(world: &mut World, row: &TurnRow, turn: &TurnRecord) -> Result<(), Violation> {
    let key = &row.key;
    let execution = world.ledger.executions.entry((key.instance.clone(), key.execution)).or_default();
    if key.turn != execution.turns {
        return Err(Violation::new("history", format!("{key} is written after turn {}", execution.turns)));
    }
    execution.take(turn).map_err(|(invariant, text)| Violation::new(invariant, format!("{key}: {text}")))?;
    let now = world.now.timestamp();
    if execution.now.is_some_and(|at| at > now) {
        return Err(Violation::new("timers", format!("{key} is of a time to come, {:?}", execution.now)));
    }
    Ok(())
}

/// Notes events and ends for the other invariants.
fn note(world: &mut World, row: &TurnRow, turn: &TurnRecord) {
    let (instance, execution) = (&row.key.instance, row.key.execution);
    for event in &turn.events {
        if let Event::EventRaised(raised) = event
            && let Some(value) = crate::ledger::number(raised.input.as_str().as_bytes())
            && let Some(raised) = world.ledger.raised.get_mut(&value)
        {
            raised.seen_in.insert(execution);
        }
        if let Event::EventSent(sent) = event
            && let Some(value) = crate::ledger::number(sent.input.as_str().as_bytes())
        {
            world.ledger.sent.insert(value, sent.instance.clone());
        }
    }
    let end = world.ledger.executions[&(instance.clone(), execution)].end.clone();
    if let (Some(Some(outcome)), Some(record)) = (end, world.store.home(instance).instances.get(instance)) {
        world.ledger.ended.insert(instance.clone(), (execution, record.status, outcome));
    }
}
