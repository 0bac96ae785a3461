//! What an owner reads.

use std::collections::BTreeMap;

use warren_model::{InstanceId, InstanceRecord, MessageId, Partition, Timestamp, TurnRecord};

use crate::{Aside, CommandRow, OutboxRow, PendingRow, Suspect, TaskNote};

/// What an owner needs before its first turn, besides instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionState {
    /// The number of the last commit.
    pub number: u64,
    /// Batches whose messages are unconfirmed, oldest first.
    pub outbox: Vec<OutboxRow>,
    /// The last sequence given to each target partition.
    pub sent: BTreeMap<Partition, u64>,
    /// The last sequence taken, without a gap, from each source partition.
    pub received: BTreeMap<Partition, u64>,
    /// Messages that arrived ahead of a gap.
    pub aside: Vec<Aside>,
    /// Instances that have not ended and have a condition, or pending rows without being paused: those that may be able
    /// to go on.
    pub waiting: Vec<InstanceId>,
    /// Instances that ran, or were about to, when an owner ended without a word.
    pub suspects: Vec<Suspect>,
    /// What is known of open tasks beyond their histories.
    pub task_notes: Vec<TaskNote>,
}

/// What has had its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Messages for instances that nobody has seen; they are there until a commit says that they are done.
    pub pending: Vec<PendingRow>,
    /// Whether there may be more.
    pub has_more: bool,
}

/// Which instances of a partition to read, page by page, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// This one, if it has not ended, with the turns of its present execution.
    One(InstanceId),
    /// Those that have not ended, with the turns of their present executions.
    Open {
        /// Behind this one.
        after: Option<InstanceId>,
    },
    /// Those that ended before some time; their rows alone.
    EndedBefore {
        /// That time.
        time: Timestamp,
        /// Behind this one.
        after: Option<InstanceId>,
    },
}

/// A page of a sweep. What can't be read of its instances is said in `turns`, or they are left out.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// The instances; `pending` is not read.
    pub instances: Vec<LoadedInstance>,
    /// Behind which one the next page begins, if there is one.
    pub next: Option<InstanceId>,
}

/// What to read for a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Instances, whether anybody has seen them or not.
    pub instances: Vec<InstanceId>,
    /// Message ids of commands that may be duplicates.
    pub commands: Vec<MessageId>,
}

/// What was read for a batch.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// One for each instance asked for, in the order asked.
    pub instances: Vec<LoadedInstance>,
    /// The commands that were answered before.
    pub commands: Vec<CommandRow>,
}

/// An instance as the store holds it.
#[derive(Clone, Debug)]
pub struct LoadedInstance {
    /// Which.
    pub id: InstanceId,
    /// Its row, if anybody has seen it.
    pub record: Option<InstanceRecord>,
    /// The turns of its present execution, in order; if it has ended, the last alone. `Err` names the row that can't be
    /// read: of history, of `pending` (the messages that can be read are still there), or the instance row (`record` is
    /// `None`).
    pub turns: Result<Vec<TurnRecord>, String>,
    /// Its pending messages, in order of arrival.
    pub pending: Vec<PendingRow>,
    /// Where the next pending message goes: behind every row, also one that can't be read.
    pub next_position: u64,
}

impl LoadedInstance {
    /// Returns what is loaded of an instance that nobody has seen.
    pub fn unseen(id: InstanceId) -> Self {
        Self { id, record: None, turns: Ok(Vec::new()), pending: Vec::new(), next_position: 0 }
    }
}
