//! Whatever an instance waits for has a carrier that survives every crash: a message in the broker, a row of the outbox,
//! a pending row, a timer's row, a message ahead of a gap, a quarantine, or a child that lives (H4, H5, H11). A work item
//! that was purged has none until a redispatch is done that was asked for later.

use std::collections::BTreeSet;

use warren_broker::{Delivery, Inbound, Text};
use warren_model::{ActionId, ExecutionId, InboxMessage, InstanceId, InstanceRecord, Parent, PartitionMessage};
use warren_store::OutboxEntry;

use super::Violation;
use crate::{
    ledger::{Execution, Open},
    store::Tables,
    world::World,
};

/// One attempt of an action of an execution.
type Key = (InstanceId, ExecutionId, ActionId, u32);

/// All that carries something.
#[derive(Default)]
struct Carriers {
    /// Tokens of work items and replies in the broker.
    tokens: BTreeSet<Text>,
    starts: BTreeSet<Key>,
    ends: BTreeSet<Key>,
    /// Turns with unconfirmed messages.
    turns: BTreeSet<(InstanceId, ExecutionId, u32)>,
}

pub(super) fn check(world: &World) -> Result<(), Violation> {
    let carriers = Carriers::of(world);
    for tables in world.store.partitions.values() {
        for record in tables.instances.values().filter(|record| !record.status.is_terminal()) {
            check_instance(world, &carriers, tables, record)?;
        }
    }
    Ok(())
}

fn check_instance(
    world: &World,
    carriers: &Carriers,
    tables: &Tables,
    record: &InstanceRecord,
) -> Result<(), Violation> {
    let fail = |text: String| Err(Violation::new("carriers", format!("instance {}: {text}", record.id)));
    let execution = world.ledger.executions.get(&(record.id.clone(), record.execution));
    let holds = |is_it: &dyn Fn(&InboxMessage) -> bool| tables.pending_of(&record.id).any(|row| is_it(&row.message));
    let Some(execution) = execution.filter(|execution| execution.has_begun) else {
        let is_start = |message: &InboxMessage| matches!(message, InboxMessage::Start { execution, .. } if *execution == record.execution);
        return if holds(&is_start) { Ok(()) } else { fail("it has not begun and nothing begins it".into()) };
    };
    for (id, open) in &execution.open {
        if !is_carried(world, carriers, tables, record, execution, *id, open) {
            return fail(format!("nothing carries action {id}, {open:?}"));
        }
    }
    Ok(())
}

fn is_carried(
    world: &World,
    carriers: &Carriers,
    tables: &Tables,
    record: &InstanceRecord,
    execution: &Execution,
    id: ActionId,
    open: &Open,
) -> bool {
    let (instance, present) = (&record.id, record.execution);
    let is_unsent = || {
        let turn = execution.asked_in.get(&id).copied().unwrap_or(u32::MAX);
        carriers.turns.contains(&(instance.clone(), present, turn))
    };
    let holds = |is_it: &dyn Fn(&InboxMessage) -> bool| tables.pending_of(instance).any(|row| is_it(&row.message));
    match open {
        Open::Task { attempt } => {
            let token = world.hub.codec.token(instance, present, id, *attempt).to_string();
            let is_it = |message: &InboxMessage| matches!(message, InboxMessage::Task(ended) if (ended.execution, ended.task) == (present, id));
            let is_lost = world.ledger.lost.contains_key(&token[..]);
            let is_noted = tables.task_notes.get(&(instance.clone(), id)).is_some_and(|row| {
                (row.execution, row.attempt) == (present, *attempt) && (row.quarantine.is_some() || row.run.is_some())
            });
            carriers.tokens.contains(&token[..]) || is_unsent() || is_noted || holds(&is_it) || is_lost
        }
        Open::Child { attempt, instance: child } => {
            let key = (instance.clone(), present, id, *attempt);
            let is_it = |message: &InboxMessage| matches!(message, InboxMessage::Child(ended) if (ended.execution, ended.task) == (present, id));
            let lives = world.store.home(child).instances.get(child).is_some_and(|record| {
                let is_ours = record.parent.as_ref().is_some_and(|parent| key_of(parent) == key);
                is_ours && !record.status.is_terminal()
            });
            lives || carriers.starts.contains(&key) || carriers.ends.contains(&key) || is_unsent() || holds(&is_it)
        }
        Open::Timer { .. } => {
            let is_it = |message: &InboxMessage| matches!(message, InboxMessage::Timer { execution, id: timer } if (*execution, *timer) == (present, id));
            tables.timers.contains_key(&(instance.clone(), id)) || holds(&is_it)
        }
    }
}

fn key_of(parent: &Parent) -> Key {
    (parent.instance.clone(), parent.execution, parent.task, parent.attempt)
}

impl Carriers {
    fn of(world: &World) -> Self {
        let mut carriers = Self::default();
        for queue in world.broker.queues.keys() {
            for message in world.broker.held(queue).flat_map(crate::broker::Stored::messages) {
                let is_question = message.kind.as_deref() == Some("begin");
                carriers.tokens.extend(message.correlation_id.clone().filter(|_| !is_question));
                if world.hub.codec.topology().partition_of_control(queue).is_some() {
                    let delivery = Delivery { tag: 1, redelivered: false, routing_key: queue.as_str().into(), message };
                    let inbound = world.hub.codec.decode_control(&delivery);
                    inbound.iter().for_each(|inbound| carriers.inbound(inbound));
                }
            }
        }
        for tables in world.store.partitions.values() {
            tables.aside.values().for_each(|message| carriers.word(message));
            tables.outbox.values().flatten().for_each(|entry| carriers.entry(entry));
        }
        carriers
    }

    fn inbound(&mut self, inbound: &Inbound) {
        if let Inbound::Partition { message, .. } = inbound {
            self.word(message);
        }
    }

    fn word(&mut self, message: &PartitionMessage) {
        match message {
            PartitionMessage::ChildStart(start) => self.starts.extend(start.started.parent.as_ref().map(key_of)),
            PartitionMessage::ChildEnded { parent, .. } => drop(self.ends.insert(key_of(parent))),
            PartitionMessage::Raise { .. } | PartitionMessage::Terminate { .. } | PartitionMessage::Vanished { .. } => {
            }
        }
    }

    fn entry(&mut self, entry: &OutboxEntry) {
        if let OutboxEntry::Turn(turn) = entry {
            self.turns.insert((turn.instance.clone(), turn.execution, turn.turn));
            self.ends.extend(turn.parent.as_ref().map(key_of));
        }
        if let OutboxEntry::Message { message, .. } = entry {
            self.word(message);
        }
    }
}
