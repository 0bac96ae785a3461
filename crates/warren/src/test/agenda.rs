//! What is to happen at which moment of virtual time.

use std::collections::BTreeMap;

use warren_model::{ActionId, ExecutionId, InboxMessage, InstanceId, Timestamp};

/// Messages that arrive later, soonest first; at the same moment in the order in which they were put down.
#[derive(Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(Timestamp, u64), (InstanceId, InboxMessage)>,
    timers: BTreeMap<(InstanceId, ActionId), (Timestamp, u64)>,
    written: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at: Timestamp, instance: InstanceId, message: InboxMessage) -> (Timestamp, u64) {
        self.written += 1;
        let key = (at, self.written);
        self.entries.insert(key, (instance, message));
        key
    }

    pub(super) fn put_timer(&mut self, at: Timestamp, instance: &InstanceId, execution: ExecutionId, id: ActionId) {
        let key = self.put(at, instance.clone(), InboxMessage::Timer { execution, id });
        self.timers.insert((instance.clone(), id), key);
    }

    pub(super) fn cancel_timer(&mut self, instance: &InstanceId, id: ActionId) {
        if let Some(key) = self.timers.remove(&(instance.clone(), id)) {
            self.entries.remove(&key);
        }
    }

    /// Cancels all timers of an instance.
    pub(super) fn clear_timers(&mut self, instance: &InstanceId) {
        let range = (instance.clone(), ActionId(0))..=(instance.clone(), ActionId(u32::MAX));
        let ids: Vec<ActionId> = self.timers.range(range).map(|((_, id), _)| *id).collect();
        ids.into_iter().for_each(|id| self.cancel_timer(instance, id));
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out the next message if its time has come.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(InstanceId, InboxMessage)> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (instance, message) = entry.remove();
        if let InboxMessage::Timer { id, .. } = &message {
            self.timers.remove(&(instance.clone(), *id));
        }
        Some((instance, message))
    }
}
