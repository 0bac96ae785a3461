//! Timers fire: once faults are over, none stays due for long (H11). That none fires early is seen in its history.

use super::Violation;
use crate::{time::SECOND, world::World};

/// How long after the end of faults timers must be on time again: what was frozen has woken, every lease has an owner.
const SETTLED_AFTER: u64 = 40 * SECOND;
/// How late a timer may be then.
const LATE: u64 = 10 * SECOND;

pub(super) fn check(world: &World) -> Result<(), Violation> {
    let Some(calm_since) = world.calm_since else { return Ok(()) };
    if world.now.since(calm_since) < SETTLED_AFTER {
        return Ok(());
    }
    let limit = world.now.shown(LATE);
    let rows = world.store.partitions.values().flat_map(|tables| tables.timers.values());
    match rows.into_iter().find(|row| row.fire_at < limit) {
        None => Ok(()),
        Some(row) => {
            let text = format!("timer {} of {} was due at {} and has not fired", row.id, row.instance, row.fire_at);
            Err(Violation::new("timers", text))
        }
    }
}
