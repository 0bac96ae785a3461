//! What an owner reads: committed state only.

use warren_model::{InstanceId, Partition, Timestamp};
use warren_store::{
    Aside, Epoch, Expired, Load, Loaded, LoadedInstance, OutboxRow, PartitionState, PendingRow, Sweep, Swept, TimerRow,
    TurnKey, TurnRow,
};

use super::{Store, Tables, Trouble};

/// How many rows a page of a sweep looks at.
const PAGE: usize = 2;

impl Store {
    /// Reads what an owner needs before its first turn.
    pub(crate) fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState, Trouble> {
        self.fence(partition, epoch)?;
        Ok(self.tables(partition).state())
    }

    /// Reads instances and earlier commands.
    pub(crate) fn load(&self, partition: Partition, epoch: Epoch, load: &Load) -> Result<Loaded, Trouble> {
        self.fence(partition, epoch)?;
        let tables = self.tables(partition);
        let instances = load.instances.iter().map(|id| tables.load(id)).collect();
        let commands = load.commands.iter().filter_map(|id| tables.commands.get(id)).cloned().collect();
        Ok(Loaded { instances, commands })
    }

    /// Reads single turns; those that are gone are left out.
    pub(crate) fn turns(&self, partition: Partition, epoch: Epoch, keys: &[TurnKey]) -> Result<Vec<TurnRow>, Trouble> {
        self.fence(partition, epoch)?;
        let tables = self.tables(partition);
        let row = |key: &TurnKey| tables.turns.get(key).cloned();
        Ok(keys.iter().filter_map(row).collect())
    }

    /// Reads the timers that come due before `until`, soonest first.
    pub(crate) fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TimerRow>, Trouble> {
        self.fence(partition, epoch)?;
        let mut rows: Vec<TimerRow> =
            self.tables(partition).timers.values().filter(|row| row.fire_at < until).cloned().collect();
        rows.sort_by(|a, b| (a.fire_at, &a.instance, a.id).cmp(&(b.fire_at, &b.instance, b.id)));
        rows.truncate(limit);
        Ok(rows)
    }

    /// Reads a page of instances: two rows, so that runs meet several pages.
    pub(crate) fn sweep(&self, partition: Partition, epoch: Epoch, sweep: &Sweep) -> Result<Swept, Trouble> {
        self.fence(partition, epoch)?;
        let tables = self.tables(partition);
        let after = match sweep {
            Sweep::One(id) => {
                let open = tables.instances.get(id).filter(|record| !record.status.is_terminal());
                let instances = open.map(|record| tables.load(&record.id)).into_iter().collect();
                return Ok(Swept { instances, next: None });
            }
            Sweep::Open { after } | Sweep::EndedBefore { after, .. } => after.as_ref(),
        };
        let rows: Vec<_> = tables.instances.values().filter(|record| Some(&record.id) > after).take(PAGE).collect();
        let next = rows.last().filter(|_| rows.len() == PAGE).map(|record| record.id.clone());
        let is_wanted = |record: &&&warren_model::InstanceRecord| match sweep {
            Sweep::One(_) | Sweep::Open { .. } => !record.status.is_terminal(),
            Sweep::EndedBefore { time, .. } => record.status.is_terminal() && record.updated_at < *time,
        };
        let instances = rows.iter().filter(is_wanted).map(|record| tables.load(&record.id)).collect();
        Ok(Swept { instances, next })
    }

    /// Forgets commands that were answered before `answered_before`; returns expired messages for instances that nobody
    /// has seen, at most `limit` of each.
    pub(crate) fn expire(
        &mut self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Expired, Trouble> {
        self.fence(partition, epoch)?;
        let tables = self.tables_mut(partition);
        let mut old: Vec<_> = tables.commands.values().filter(|row| row.at < answered_before).cloned().collect();
        old.sort_by_key(|row| row.at);
        let forgotten = old.into_iter().take(limit).filter_map(|row| tables.commands.remove(&row.id)).count();
        let is_expired = |row: &&PendingRow| {
            row.expires_at.is_some_and(|at| at < now) && !tables.instances.contains_key(&row.instance)
        };
        let mut pending: Vec<PendingRow> = tables.pending.values().filter(is_expired).cloned().collect();
        pending.sort_by_key(|row| row.expires_at);
        pending.truncate(limit);
        Ok(Expired { has_more: forgotten >= limit || pending.len() >= limit, pending })
    }
}

impl Tables {
    fn state(&self) -> PartitionState {
        let is_waiting = |record: &&warren_model::InstanceRecord| {
            let has_pending = self.pending_of(&record.id).next().is_some();
            let may_run = has_pending && record.status != warren_model::Status::Suspended;
            !record.status.is_terminal() && (record.condition.is_some() || may_run)
        };
        let aside = |((source, sequence), message): (&(Partition, u64), &warren_model::PartitionMessage)| Aside {
            source: *source,
            sequence: *sequence,
            message: message.clone(),
        };
        PartitionState {
            number: self.number,
            outbox: self.outbox.iter().map(|(n, e)| OutboxRow { number: *n, entries: e.clone() }).collect(),
            sent: self.sent.clone(),
            received: self.received.clone(),
            aside: self.aside.iter().map(aside).collect(),
            waiting: self.instances.values().filter(is_waiting).map(|record| record.id.clone()).collect(),
            suspects: self.suspects.values().cloned().collect(),
            task_notes: self.task_notes.values().cloned().collect(),
        }
    }

    fn load(&self, id: &InstanceId) -> LoadedInstance {
        let record = self.instances.get(id).cloned();
        let mut turns = record.as_ref().map_or_else(|| Ok(Vec::new()), |it| self.history(id, it.execution));
        if let (Some(record), Ok(read)) = (&record, &mut turns) {
            if read.len() != record.turn as usize {
                turns = Err(format!("history of instance {id} has {} turns, its row says {}", read.len(), record.turn));
            } else if record.status.is_terminal() {
                read.drain(..read.len().saturating_sub(1));
            }
        }
        let pending: Vec<PendingRow> = self.pending_of(id).cloned().collect();
        let next_position = pending.last().map_or(0, |row| row.position + 1);
        LoadedInstance { id: id.clone(), record, turns, pending, next_position }
    }
}
