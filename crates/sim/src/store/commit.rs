//! One batch, all of it or nothing: deletions before insertions.

use std::{collections::BTreeMap, fmt::Debug};

use warren_model::{InstanceId, MessageId};
use warren_store::Commit;

use super::{Store, Tables, Trouble};

impl Store {
    /// Writes a batch if its epoch owns the partition, its number follows and no row of it is refused.
    pub(crate) fn commit(&mut self, commit: &Commit) -> Result<(), Trouble> {
        self.fence(commit.partition, commit.epoch)?;
        let believes_all = self.believes_all;
        let tables = self.tables_mut(commit.partition);
        if commit.number != tables.number + 1 {
            return Err(Trouble::OutOfTurn(format!(
                "commit {}: the one before it is {}",
                commit.number, tables.number
            )));
        }
        if let Some(used) = commit.fresh.iter().find(|fresh| !believes_all && tables.has(fresh)) {
            return Err(Trouble::Used(used.0.clone()));
        }
        tables.check(commit).map_err(Trouble::Refused)?;
        tables.number = commit.number;
        tables.delete(commit);
        tables.insert(commit);
        Ok(())
    }
}

impl Tables {
    /// Returns whether something is there of what should be new.
    fn has(&self, (instance, start): &(InstanceId, MessageId)) -> bool {
        let has_instance = self.instances.contains_key(instance) || self.pending_of(instance).next().is_some();
        has_instance || self.commands.contains_key(start)
    }

    /// Names the first row that may not be there yet and would be, were the deletions carried out.
    fn check(&self, commit: &Commit) -> Result<(), String> {
        let forgotten = |key: &warren_store::TurnKey| {
            commit.forget.iter().any(|(id, execution)| (id, execution) == (&key.instance, &key.execution))
        };
        free("turn", commit.turns.iter().map(|row| row.key.clone()), &self.turns, forgotten)?;
        let timers = commit.timers.iter().map(|row| (row.instance.clone(), row.id));
        let is_done = |key: &(warren_model::InstanceId, warren_model::ActionId)| {
            commit.timers_done.contains(key) || commit.timers_clear.contains(&key.0)
        };
        free("timer", timers, &self.timers, is_done)?;
        let pending = commit.pending.iter().map(|row| (row.instance.clone(), row.position));
        free("pending message", pending, &self.pending, |key| commit.pending_done.contains(key))?;
        free("command", commit.commands.iter().map(|row| row.id.clone()), &self.commands, |_| false)?;
        let aside = commit.aside.iter().map(|row| (row.source, row.sequence));
        free("message ahead of a gap", aside, &self.aside, |key| commit.aside_done.contains(key))
    }

    fn delete(&mut self, commit: &Commit) {
        for (id, execution) in &commit.forget {
            let keys: Vec<_> = self.turns_of(id, *execution).map(|(key, _)| key.clone()).collect();
            keys.iter().for_each(|key| drop(self.turns.remove(key)));
        }
        for id in &commit.purged {
            self.instances.remove(id);
            let keys: Vec<_> = self.pending_of(id).map(|row| (row.instance.clone(), row.position)).collect();
            keys.iter().for_each(|key| drop(self.pending.remove(key)));
        }
        commit.timers_done.iter().for_each(|key| drop(self.timers.remove(key)));
        for id in &commit.timers_clear {
            let keys: Vec<_> = self.timers_of(id).map(|row| (row.instance.clone(), row.id)).collect();
            keys.iter().for_each(|key| drop(self.timers.remove(key)));
        }
        commit.pending_done.iter().for_each(|key| drop(self.pending.remove(key)));
        commit.outbox_done.iter().for_each(|number| drop(self.outbox.remove(number)));
        commit.aside_done.iter().for_each(|key| drop(self.aside.remove(key)));
        commit.suspects_done.iter().for_each(|id| drop(self.suspects.remove(id)));
        commit.task_notes_done.iter().for_each(|key| drop(self.task_notes.remove(key)));
    }

    fn insert(&mut self, commit: &Commit) {
        self.instances.extend(commit.instances.iter().map(|record| (record.id.clone(), record.clone())));
        for row in &commit.turns {
            self.instances.entry(row.key.instance.clone()).and_modify(|record| row.note_in(record));
            self.turns.insert(row.key.clone(), row.clone());
        }
        self.timers.extend(commit.timers.iter().map(|row| ((row.instance.clone(), row.id), row.clone())));
        self.pending.extend(commit.pending.iter().map(|row| ((row.instance.clone(), row.position), row.clone())));
        self.commands.extend(commit.commands.iter().map(|row| (row.id.clone(), row.clone())));
        self.commands.extend(commit.tombstones.iter().map(|row| (row.id.clone(), row.clone())));
        self.outbox.extend(commit.outbox.iter().map(|row| (row.number, row.entries.clone())));
        self.sent.extend(commit.sent.iter().copied());
        self.received.extend(commit.received.iter().copied());
        self.aside.extend(commit.aside.iter().map(|row| ((row.source, row.sequence), row.message.clone())));
        let tasks = commit.task_notes.iter().map(|row| ((row.instance.clone(), row.id), row.clone()));
        self.task_notes.extend(tasks);
        self.suspects.extend(commit.suspects.iter().map(|row| (row.instance.clone(), row.clone())));
    }
}

fn free<K: Ord + Debug, V>(
    what: &str,
    keys: impl Iterator<Item = K>,
    table: &BTreeMap<K, V>,
    is_deleted: impl Fn(&K) -> bool,
) -> Result<(), String> {
    let mut new = std::collections::BTreeSet::new();
    for key in keys {
        if table.contains_key(&key) && !is_deleted(&key) {
            return Err(format!("{what} {key:?} exists already"));
        }
        if new.contains(&key) {
            return Err(format!("{what} {key:?} is in the commit twice"));
        }
        new.insert(key);
    }
    Ok(())
}
