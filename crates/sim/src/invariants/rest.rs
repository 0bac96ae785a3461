//! At rest: the outbox is empty, every queue is empty, nothing waits for a gap, no ended instance keeps anything, and
//! every instance has ended, and no activity goes on.

use super::{Violation, quiet};
use crate::{worker::WorkerProcess, world::World};

pub(super) fn check(world: &World) -> Result<(), Violation> {
    match unrest(world) {
        None => world
            .store
            .partitions
            .values()
            .flat_map(|tables| tables.instances.keys())
            .try_for_each(|id| quiet::check(world, id)),
        Some(text) => Err(Violation::new("rest", text)),
    }
}

/// Returns what has not come to rest yet.
pub(crate) fn unrest(world: &World) -> Option<String> {
    let dead = world.hub.codec.topology().dead().name;
    for queue in world.broker.queues.keys().filter(|queue| **queue != dead) {
        if let Some(stored) = world.broker.held(queue).next() {
            return Some(format!("queue {queue} holds {}", crate::show::message(&stored.message)));
        }
    }
    if let Some(activity) = world.workers.iter().find_map(WorkerProcess::runs) {
        return Some(format!("activity {activity} runs, for which nobody waits"));
    }
    for (partition, tables) in &world.store.partitions {
        if let Some((number, entries)) = tables.outbox.first_key_value() {
            return Some(format!("the outbox of partition {partition} holds commit {number}: {entries:?}"));
        }
        if let Some((key, _)) = tables.aside.first_key_value() {
            return Some(format!("partition {partition} waits for what comes before {key:?}"));
        }
        if let Some(row) = tables.pending.values().find(|row| !tables.instances.contains_key(&row.instance)) {
            return Some(format!("a message waits for {}, which nobody has started", row.instance));
        }
        if let Some(record) = tables.instances.values().find(|record| !record.status.is_terminal()) {
            let condition = record.condition.as_ref().map(|condition| &condition.message);
            let pending = tables.pending_of(&record.id).count();
            return Some(format!(
                "instance {} of {} is {}, {pending} messages pending, condition {condition:?}",
                record.id, record.name, record.status
            ));
        }
        if let Some(row) = tables.task_notes.values().next() {
            return Some(format!("task {} of instance {} is suspected", row.id, row.instance));
        }
        let is_left = |key: &&warren_store::TurnKey| {
            tables.instances.get(&key.instance).is_none_or(|record| record.execution != key.execution)
        };
        if let Some(key) = tables.turns.keys().find(is_left) {
            return Some(format!("{key} is left, though its execution is over"));
        }
        for (source, sent) in world.store.partitions.iter().map(|(id, t)| (id, t.sent.get(partition))) {
            if sent != tables.received.get(source) {
                return Some(format!("partition {partition} has not taken all that {source} has sent"));
            }
        }
    }
    world.clients.unfinished()
}
