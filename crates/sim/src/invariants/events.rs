//! No event is lost: every event that was accepted is in a history, pending, or in the dead queue with a reason (H10);
//! and so is what makes no sense.

use warren_model::{InboxMessage, InstanceId};

use super::Violation;
use crate::world::World;

pub(super) fn check(world: &World) -> Result<(), Violation> {
    for (value, raised) in &world.ledger.raised {
        let is_somewhere = !raised.seen_in.is_empty() || raised.is_dead || is_pending(world, &raised.instance, *value);
        if raised.is_accepted && !is_somewhere {
            let text = format!("event {value} for {} was accepted and is nowhere", raised.instance);
            return Err(Violation::new("events", text));
        }
    }
    if let Some(id) = world.ledger.nonsense.difference(&world.ledger.dead).next() {
        return Err(Violation::new("events", format!("{id} makes no sense and is not in the dead queue")));
    }
    for (value, target) in &world.ledger.sent {
        let has_ended = world.ledger.ended.contains_key(target);
        if !has_ended && !is_pending(world, target, *value) {
            return Err(Violation::new("events", format!("event {value} that was sent to {target} is nowhere")));
        }
    }
    Ok(())
}

/// Returns whether a pending row holds the event of this number.
pub(super) fn is_pending(world: &World, instance: &InstanceId, value: i64) -> bool {
    let is_it = |message: &InboxMessage| {
        let InboxMessage::Raise(event) = message else { return false };
        crate::ledger::number(event.input.as_str().as_bytes()) == Some(value)
    };
    world.store.home(instance).pending_of(instance).any(|row| is_it(&row.message))
}
