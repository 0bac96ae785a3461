//! Histories replay to the same actions: those that go on, and those that have ended, their last turn included (H17).

use warren_engine::{Identity, Programs, replay};
use warren_model::{Action, Event, ExecutionId, InstanceRecord, TurnRecord};
use warren_store::Commit;

use super::Violation;
use crate::world::World;

/// Replays executions that a commit has ended: their turns may be gone later.
pub(super) fn written(world: &World, commit: &Commit) -> Result<(), Violation> {
    for row in &commit.turns {
        let key = &row.key;
        let has_ended = world.ledger.executions[&(key.instance.clone(), key.execution)].end.is_some();
        let record = world.store.home(&key.instance).instances.get(&key.instance);
        if let (true, Some(record)) = (has_ended, record) {
            check_one(world, record, key.execution)?;
        }
    }
    Ok(())
}

/// Replays the present execution of every instance.
pub(super) fn check(world: &World) -> Result<(), Violation> {
    let records = world.store.partitions.values().flat_map(|tables| tables.instances.values());
    records.into_iter().try_for_each(|record| check_one(world, record, record.execution))
}

fn check_one(world: &World, record: &InstanceRecord, execution: ExecutionId) -> Result<(), Violation> {
    let fail =
        |text: String| Violation::new("replay", format!("instance {}, execution {execution}: {text}", record.id));
    let mut turns = world.store.home(&record.id).history(&record.id, execution).map_err(fail)?;
    let has_begun = turns.iter().flat_map(|turn| &turn.events).any(|event| matches!(event, Event::ExecutionStarted(_)));
    if !has_begun {
        return Ok(());
    }
    let (instance, name, version) = (record.id.clone(), record.name.clone(), record.version.clone());
    let identity = Identity { instance, execution, name, version };
    let mut program = world.hub.after.create(&identity).map_err(fail)?;
    let has_ended = world.ledger.executions[&(record.id.clone(), execution)].end.is_some();
    let last = if has_ended { turns.pop() } else { None };
    replay(program.as_mut(), &turns).map_err(|divergence| fail(divergence.condition(&record.name).message))?;
    match last {
        Some(last) => check_last(program.as_mut(), &last).map_err(fail),
        None => Ok(()),
    }
}

/// The turn that ends an execution asks for the same too.
fn check_last(program: &mut dyn warren_engine::Program, turn: &TurnRecord) -> Result<(), String> {
    let is_cut_off = turn.events.iter().any(|event| matches!(event, Event::ExecutionTerminated(_)));
    if is_cut_off {
        return Ok(()); // the program did not run
    }
    let inputs: Vec<Event> = turn.events.iter().filter(|event| event.is_input()).cloned().collect();
    let emitted: Vec<Event> = program.react(&inputs, true).actions.into_iter().filter_map(Action::into_event).collect();
    let recorded: Vec<Event> = turn.events.iter().filter(|event| event.is_action()).cloned().collect();
    if emitted == recorded { Ok(()) } else { Err(format!("its last turn asks for {emitted:?}, recorded {recorded:?}")) }
}
