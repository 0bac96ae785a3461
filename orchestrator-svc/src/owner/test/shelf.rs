//! A store in memory, for stepping an owner: what a commit says, in plain maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use warren_model::{
    ActionId, InstanceId, InstanceRecord, MessageId, Partition, PartitionMessage, Status, Timestamp, TurnRecord,
};
use warren_store::{
    Aside, CommandRow, Commit, Expired, Load, Loaded, LoadedInstance, OutboxEntry, OutboxRow, PartitionState,
    PendingRow, Suspect, Sweep, Swept, TaskNote, TimerRow, TurnKey, TurnRow,
};

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) number: u64,
    pub(crate) instances: BTreeMap<InstanceId, InstanceRecord>,
    pub(crate) turns: BTreeMap<TurnKey, TurnRow>,
    pub(crate) timers: BTreeMap<(InstanceId, ActionId), TimerRow>,
    pub(crate) pending: BTreeMap<(InstanceId, u64), PendingRow>,
    pub(crate) commands: BTreeMap<MessageId, CommandRow>,
    pub(crate) outbox: BTreeMap<u64, Vec<OutboxEntry>>,
    pub(crate) sent: BTreeMap<Partition, u64>,
    pub(crate) received: BTreeMap<Partition, u64>,
    pub(crate) aside: BTreeMap<(Partition, u64), PartitionMessage>,
    pub(crate) suspects: BTreeMap<InstanceId, Suspect>,
    pub(crate) task_notes: BTreeMap<(InstanceId, ActionId), TaskNote>,
    /// How often the row of each instance was written.
    pub(crate) written: BTreeMap<InstanceId, usize>,
    /// Instances whose row somebody has broken …
    pub(crate) broken_rows: BTreeSet<InstanceId>,
    /// … and those whose history.
    pub(crate) broken_histories: BTreeSet<InstanceId>,
}

/// Inserts rows that may not be there yet, as a store refuses them.
fn insert<K: Ord + Clone + Debug, V>(table: &mut BTreeMap<K, V>, rows: impl IntoIterator<Item = (K, V)>) {
    for (key, row) in rows {
        assert!(table.insert(key.clone(), row).is_none(), "{key:?} exists already");
    }
}

impl Shelf {
    /// Returns whether something is there of what a commit takes for new.
    pub(crate) fn has_used(&self, commit: &Commit) -> bool {
        let is_used = |(instance, start): &(InstanceId, MessageId)| {
            let is_held = self.pending.keys().any(|(id, _)| id == instance);
            is_held || self.instances.contains_key(instance) || self.commands.contains_key(start)
        };
        commit.fresh.iter().any(is_used)
    }

    pub(crate) fn apply(&mut self, commit: Commit) {
        assert_eq!(commit.number, self.number + 1, "commits follow each other by number");
        self.number = commit.number;
        commit.outbox_done.iter().for_each(|number| assert!(self.outbox.remove(number).is_some(), "cleared twice"));
        commit.pending_done.into_iter().for_each(|key| assert!(self.pending.remove(&key).is_some(), "handled twice"));
        commit.timers_clear.iter().for_each(|id| self.timers.retain(|(owner, _), _| owner != id));
        commit.timers_done.iter().for_each(|key| drop(self.timers.remove(key)));
        commit.aside_done.iter().for_each(|key| drop(self.aside.remove(key)));
        for id in &commit.purged {
            assert!(self.instances.remove(id).is_some(), "{id} is purged twice");
            self.pending.retain(|(owner, _), _| owner != id);
        }
        for (id, execution) in &commit.forget {
            self.turns.retain(|key, _| (&key.instance, &key.execution) != (id, execution));
        }
        commit.instances.iter().for_each(|record| *self.written.entry(record.id.clone()).or_default() += 1);
        self.instances.extend(commit.instances.into_iter().map(|record| (record.id.clone(), record)));
        for row in &commit.turns {
            self.instances.entry(row.key.instance.clone()).and_modify(|record| row.note_in(record));
        }
        insert(&mut self.turns, commit.turns.into_iter().map(|row| (row.key.clone(), row)));
        insert(&mut self.timers, commit.timers.into_iter().map(|row| ((row.instance.clone(), row.id), row)));
        insert(&mut self.pending, commit.pending.into_iter().map(|row| ((row.instance.clone(), row.position), row)));
        insert(&mut self.commands, commit.commands.into_iter().map(|row| (row.id.clone(), row)));
        self.commands.extend(commit.tombstones.into_iter().map(|row| (row.id.clone(), row)));
        self.outbox.extend(commit.outbox.into_iter().map(|row| (row.number, row.entries)));
        self.sent.extend(commit.sent);
        self.received.extend(commit.received);
        commit.suspects_done.iter().for_each(|id| assert!(self.suspects.remove(id).is_some(), "absolved twice"));
        self.suspects.extend(commit.suspects.into_iter().map(|row| (row.instance.clone(), row)));
        commit.task_notes_done.iter().for_each(|key| drop(self.task_notes.remove(key)));
        self.task_notes.extend(commit.task_notes.into_iter().map(|row| ((row.instance.clone(), row.id), row)));
        insert(&mut self.aside, commit.aside.into_iter().map(|a| ((a.source, a.sequence), a.message)));
    }

    pub(crate) fn state(&self) -> PartitionState {
        let is_waiting = |record: &&InstanceRecord| {
            let has_pending = self.pending.keys().any(|(id, _)| *id == record.id);
            let may_run = has_pending && record.status != Status::Suspended;
            !record.status.is_terminal() && (record.condition.is_some() || may_run)
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
            suspects: self.suspects.values().cloned().collect(),
            task_notes: self.task_notes.values().cloned().collect(),
        }
    }

    pub(crate) fn load(&self, load: &Load) -> Loaded {
        let instances = load.instances.iter().map(|id| self.instance(id)).collect();
        let commands = load.commands.iter().filter_map(|id| self.commands.get(id)).cloned().collect();
        Loaded { instances, commands }
    }

    fn instance(&self, id: &InstanceId) -> LoadedInstance {
        let mut record = self.instances.get(id).cloned();
        let mut turns = match &record {
            Some(_) if self.broken_histories.contains(id) => Err(format!("history of instance {id}: is missing")),
            Some(record) => Ok(self.history(record)),
            None => Ok(Vec::new()),
        };
        if let (Ok(turns), true) = (&mut turns, record.as_ref().is_some_and(|record| record.status.is_terminal())) {
            turns.drain(..turns.len().saturating_sub(1));
        }
        if self.broken_rows.contains(id) {
            (record, turns) = (None, Err(format!("instance {id}: is no row")));
        }
        let rows = self.pending.range((id.clone(), 0)..=(id.clone(), u64::MAX));
        let pending: Vec<PendingRow> = rows.map(|(_, row)| row.clone()).collect();
        let next_position = pending.last().map_or(0, |row| row.position + 1);
        LoadedInstance { id: id.clone(), record, turns, pending, next_position }
    }

    pub(crate) fn expire(&mut self, answered_before: Timestamp, now: Timestamp, limit: usize) -> Expired {
        let old: Vec<_> =
            self.commands.values().filter(|row| row.at < answered_before).map(|row| row.id.clone()).collect();
        let forgotten = old.into_iter().take(limit).filter_map(|id| self.commands.remove(&id)).count();
        let is_expired = |row: &&PendingRow| {
            row.expires_at.is_some_and(|at| at < now) && !self.instances.contains_key(&row.instance)
        };
        let pending: Vec<_> = self.pending.values().filter(is_expired).take(limit).cloned().collect();
        Expired { has_more: forgotten >= limit || pending.len() >= limit, pending }
    }

    /// Pages of two rows, so that tests meet several.
    pub(crate) fn sweep(&self, sweep: &Sweep) -> Swept {
        let (after, most) = match sweep {
            Sweep::One(id) => {
                let is_open = self.instances.get(id).is_some_and(|record| !record.status.is_terminal());
                let instances = is_open.then(|| self.instance(id)).into_iter().collect();
                return Swept { instances, next: None };
            }
            Sweep::Open { after } | Sweep::EndedBefore { after, .. } => (after.as_ref(), 2),
        };
        let rows: Vec<_> = self.instances.values().filter(|record| Some(&record.id) > after).take(most).collect();
        let next = rows.last().filter(|_| rows.len() == most).map(|record| record.id.clone());
        let is_wanted = |record: &&InstanceRecord| match sweep {
            Sweep::One(_) | Sweep::Open { .. } => !record.status.is_terminal(),
            Sweep::EndedBefore { time, .. } => record.status.is_terminal() && record.updated_at < *time,
        };
        let instances = rows.into_iter().filter(is_wanted).map(|record| self.instance(&record.id)).collect();
        Swept { instances, next }
    }

    pub(crate) fn timers_before(&self, until: Timestamp, limit: usize) -> Vec<TimerRow> {
        let mut rows: Vec<TimerRow> = self.timers.values().filter(|row| row.fire_at < until).cloned().collect();
        rows.sort_by_key(|row| row.fire_at);
        rows.truncate(limit);
        rows
    }

    /// The turns of an instance's present execution.
    pub(crate) fn history(&self, record: &InstanceRecord) -> Vec<TurnRecord> {
        let rows =
            self.turns.iter().filter(|(key, _)| (&key.instance, key.execution) == (&record.id, record.execution));
        rows.map(|(_, row)| serde_json::from_str(&row.body).unwrap()).collect()
    }

    pub(crate) fn rows(&self, keys: &[TurnKey]) -> Vec<TurnRow> {
        keys.iter().filter_map(|key| self.turns.get(key).cloned()).collect()
    }
}
