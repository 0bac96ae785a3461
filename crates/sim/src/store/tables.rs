//! The tables of one partition.

use std::collections::BTreeMap;

use warren_model::{
    ActionId, ExecutionId, InstanceId, InstanceRecord, MessageId, Partition, PartitionMessage, TurnRecord,
};
use warren_store::{CommandRow, Epoch, OutboxEntry, PendingRow, Suspect, TaskNote, TimerRow, TurnKey, TurnRow};

/// Who owns a partition.
#[derive(Clone, Debug)]
pub(crate) struct LeaseRow {
    pub(crate) owner: Option<String>,
    pub(crate) epoch: Epoch,
    pub(crate) counter: i64,
}

/// Everything that the store holds of one partition.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) lease: LeaseRow,
    /// The number of the last commit.
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
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            lease: LeaseRow { owner: None, epoch: Epoch(0), counter: 0 },
            number: 0,
            instances: BTreeMap::new(),
            turns: BTreeMap::new(),
            timers: BTreeMap::new(),
            pending: BTreeMap::new(),
            commands: BTreeMap::new(),
            outbox: BTreeMap::new(),
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            aside: BTreeMap::new(),
            suspects: BTreeMap::new(),
            task_notes: BTreeMap::new(),
        }
    }
}

impl Tables {
    /// Returns the turns of an execution that are stored, in order.
    pub(crate) fn turns_of(
        &self,
        instance: &InstanceId,
        execution: ExecutionId,
    ) -> impl Iterator<Item = (&TurnKey, &TurnRow)> {
        let key = |turn| TurnKey { instance: instance.clone(), execution, turn };
        self.turns.range(key(0)..=key(u32::MAX))
    }

    /// Returns the history of an execution, or the first row that is missing or can't be read.
    pub(crate) fn history(&self, instance: &InstanceId, execution: ExecutionId) -> Result<Vec<TurnRecord>, String> {
        let mut turns = Vec::new();
        for (expected, (key, row)) in (0..).zip(self.turns_of(instance, execution)) {
            if key.turn != expected {
                return Err(format!(
                    "history of instance {instance}, execution {execution}: turn {expected} is missing"
                ));
            }
            turns.push(serde_json::from_str(&row.body).map_err(|error| format!("{key}: {error}"))?);
        }
        Ok(turns)
    }

    /// Returns the pending messages of an instance, in order.
    pub(crate) fn pending_of(&self, instance: &InstanceId) -> impl Iterator<Item = &PendingRow> {
        self.pending.range((instance.clone(), 0)..=(instance.clone(), u64::MAX)).map(|(_, row)| row)
    }

    /// Returns the timers of an instance.
    pub(crate) fn timers_of(&self, instance: &InstanceId) -> impl Iterator<Item = &TimerRow> {
        let (first, last) = ((instance.clone(), ActionId(0)), (instance.clone(), ActionId(u32::MAX)));
        self.timers.range(first..=last).map(|(_, row)| row)
    }
}
