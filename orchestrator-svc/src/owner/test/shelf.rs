//! A store in memory, for stepping an owner: what a commit says, in plain maps.

use std::collections::BTreeMap;

use warren_model::{
    ActionId, InboxMessage, InstanceId, InstanceRecord, MessageId, Partition, PartitionMessage, TurnRecord,
};
use warren_store::{
    Aside, CommandRow, Commit, Load, Loaded, LoadedInstance, OutboxEntry, OutboxRow, PartitionState, PendingRow,
    TimerRow, TurnKey, TurnRow,
};

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) number: u64,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRecord>,
    pub(crate) turns: BTreeMap<TurnKey, String>,
    pub(crate) timers: BTreeMap<(InstanceId, ActionId), TimerRow>,
    pub(crate) pending: BTreeMap<(InstanceId, u64), InboxMessage>,
    pub(crate) commands: BTreeMap<MessageId, CommandRow>,
    pub(crate) outbox: BTreeMap<u64, Vec<OutboxEntry>>,
    pub(crate) sent: BTreeMap<Partition, u64>,
    pub(crate) received: BTreeMap<Partition, u64>,
    pub(crate) aside: BTreeMap<(Partition, u64), PartitionMessage>,
}

impl Shelf {
    pub(crate) fn apply(&mut self, commit: Commit) {
        assert_eq!(commit.number, self.number + 1, "commits follow each other by number");
        self.number = commit.number;
        commit.outbox_done.iter().for_each(|number| assert!(self.outbox.remove(number).is_some(), "cleared twice"));
        commit.pending_done.into_iter().for_each(|key| assert!(self.pending.remove(&key).is_some(), "handled twice"));
        commit.timers_clear.iter().for_each(|id| self.timers.retain(|(owner, _), _| owner != id));
        commit.timers_done.iter().for_each(|key| drop(self.timers.remove(key)));
        commit.aside_done.iter().for_each(|key| drop(self.aside.remove(key)));
        for (id, execution) in &commit.forget {
            self.turns.retain(|key, _| (&key.instance, &key.execution) != (id, execution));
        }
        self.instances.extend(commit.instances.into_iter().map(|record| (record.id.clone(), record)));
        for TurnRow { key, body } in commit.turns {
            assert!(self.turns.insert(key.clone(), body).is_none(), "turn {key:?} is written twice");
        }
        self.timers.extend(commit.timers.into_iter().map(|row| ((row.instance.clone(), row.id), row)));
        self.pending.extend(commit.pending.into_iter().map(|row| ((row.instance, row.position), row.message)));
        self.commands.extend(commit.commands.into_iter().map(|row| (row.id.clone(), row)));
        self.outbox.extend(commit.outbox.into_iter().map(|row| (row.number, row.entries)));
        self.sent.extend(commit.sent);
        self.received.extend(commit.received);
        self.aside.extend(commit.aside.into_iter().map(|a| ((a.source, a.sequence), a.message)));
    }

    pub(crate) fn state(&self) -> PartitionState {
        let is_waiting = |record: &&InstanceRecord| {
            let has_pending = self.pending.keys().any(|(id, _)| *id == record.id);
            !record.status.is_terminal() && (record.condition.is_some() || has_pending)
        };
        PartitionState {
            number: self.number,
            outbox: self.outbox.iter().map(|(n, e)| OutboxRow { number: *n, entries: e.clone() }).collect(),
            sent: self.sent.clone(),
            received: self.received.clone(),
            aside: self
                .aside
                .iter()
                .map(|((source, sequence), m)| Aside { source: *source, sequence: *sequence, message: m.clone() })
                .collect(),
            waiting: self.instances.values().filter(is_waiting).map(|record| record.id.clone()).collect(),
        }
    }

    pub(crate) fn load(&self, load: &Load) -> Loaded {
        let instances = load.instances.iter().map(|id| self.instance(id)).collect();
        let commands = load.commands.iter().filter_map(|id| self.commands.get(id)).cloned().collect();
        Loaded { instances, commands }
    }

    fn instance(&self, id: &InstanceId) -> LoadedInstance {
        let record = self.instances.get(id).cloned();
        let mut turns = record.as_ref().map_or_else(Vec::new, |record| self.history(record));
        if record.as_ref().is_some_and(|record| record.status.is_terminal()) {
            turns.drain(..turns.len().saturating_sub(1));
        }
        let rows = self.pending.iter().filter(|((owner, _), _)| owner == id);
        let pending = rows
            .map(|((_, position), message)| PendingRow {
                instance: id.clone(),
                position: *position,
                message: message.clone(),
                expires_at: None,
            })
            .collect();
        LoadedInstance { id: id.clone(), record, turns: Ok(turns), pending }
    }

    /// The turns of an instance's present execution.
    pub(crate) fn history(&self, record: &InstanceRecord) -> Vec<TurnRecord> {
        let rows =
            self.turns.iter().filter(|(key, _)| (&key.instance, key.execution) == (&record.id, record.execution));
        rows.map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    pub(crate) fn rows(&self, keys: &[TurnKey]) -> Vec<TurnRow> {
        let row = |key: &TurnKey| self.turns.get(key).map(|body| TurnRow { key: key.clone(), body: body.clone() });
        keys.iter().filter_map(row).collect()
    }
}
