//! What one batch of turns changes.

use warren_model::{
    ActionId, Answer, ExecutionId, InboxMessage, InstanceId, InstanceRecord, MessageId, Partition, PartitionMessage,
    Refusal, Timestamp,
};

use crate::{Epoch, OutboxRow, Suspect, TaskNote, TurnRow};

/// Everything that one batch of turns changes, written in one transaction and fenced by `epoch`.
///
/// Deletions (`*_done`, `*_clear`, `forget`, `purged`) are carried out before insertions.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Which partition.
    pub partition: Partition,
    /// The epoch under which the writer owns it.
    pub epoch: Epoch,
    /// One more than the commit before; a repeated or skipped number is refused.
    pub number: u64,
    /// Instance rows, inserted or replaced. That of a turn which changes no more of it than the turn's own row says (its
    /// number and [`Progress`](crate::Progress)) may be left out: whoever reads takes that from the last turn.
    pub instances: Vec<InstanceRecord>,
    /// Instances of `instances` that begin, each with the id of its start, for which nobody has looked: if there is one of
    /// them, messages that wait for one, or such a command, nothing is written.
    pub fresh: Vec<(InstanceId, MessageId)>,
    /// New turns; one that exists already is refused.
    pub turns: Vec<TurnRow>,
    /// Executions whose turns nobody needs any more (they continued as new, or were replaced): deleted.
    pub forget: Vec<(InstanceId, ExecutionId)>,
    /// Instances of which nothing is left but their turns (see `forget`): their rows and pending messages are deleted.
    pub purged: Vec<InstanceId>,
    /// Starts of instances that were purged or replaced, as commands that were answered; one with the same id is replaced.
    pub tombstones: Vec<CommandRow>,
    /// Timers that were created.
    pub timers: Vec<TimerRow>,
    /// Timers that fired or were cancelled.
    pub timers_done: Vec<(InstanceId, ActionId)>,
    /// Instances of which no timer is left.
    pub timers_clear: Vec<InstanceId>,
    /// Messages that can't be handled now.
    pub pending: Vec<PendingRow>,
    /// Pending messages that were handled.
    pub pending_done: Vec<(InstanceId, u64)>,
    /// Commands that were answered.
    pub commands: Vec<CommandRow>,
    /// Batches whose messages are to be published; one with the same number is replaced.
    pub outbox: Vec<OutboxRow>,
    /// Batches of which every message is confirmed.
    pub outbox_done: Vec<u64>,
    /// The last sequence given to each target partition, where it changed.
    pub sent: Vec<(Partition, u64)>,
    /// The last sequence taken from each source partition, where it changed.
    pub received: Vec<(Partition, u64)>,
    /// Messages that arrived ahead of a gap.
    pub aside: Vec<Aside>,
    /// Messages that no longer wait for a gap to close.
    pub aside_done: Vec<(Partition, u64)>,
    /// Instances that are suspected, inserted or replaced.
    pub suspects: Vec<Suspect>,
    /// Instances that have proved innocent.
    pub suspects_done: Vec<InstanceId>,
    /// Tasks that are suspected, inserted or replaced.
    pub task_notes: Vec<TaskNote>,
    /// Tasks that have ended, or are to be begun as if for the first time.
    pub task_notes_done: Vec<(InstanceId, ActionId)>,
}

impl Commit {
    /// Returns a commit that changes nothing yet.
    pub fn new(partition: Partition, epoch: Epoch, number: u64) -> Self {
        Self {
            partition,
            epoch,
            number,
            instances: Vec::new(),
            fresh: Vec::new(),
            turns: Vec::new(),
            forget: Vec::new(),
            purged: Vec::new(),
            tombstones: Vec::new(),
            timers: Vec::new(),
            timers_done: Vec::new(),
            timers_clear: Vec::new(),
            pending: Vec::new(),
            pending_done: Vec::new(),
            commands: Vec::new(),
            outbox: Vec::new(),
            outbox_done: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
            aside: Vec::new(),
            aside_done: Vec::new(),
            suspects: Vec::new(),
            suspects_done: Vec::new(),
            task_notes: Vec::new(),
            task_notes_done: Vec::new(),
        }
    }
}

/// A timer that has not fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRow {
    /// Whose.
    pub instance: InstanceId,
    /// Which execution's.
    pub execution: ExecutionId,
    /// Which.
    pub id: ActionId,
    /// When it comes due by the database's clock.
    pub fire_at: Timestamp,
}

/// A message for an instance that can't run now, or that nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// Whose.
    pub instance: InstanceId,
    /// Its place in the order of arrival, unique for the instance.
    pub position: u64,
    /// The message.
    pub message: InboxMessage,
    /// When it is given up if nobody has seen the instance by then.
    pub expires_at: Option<Timestamp>,
}

/// A command that was answered, kept for the duplicate window; also the start of an instance that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// The id of its message.
    pub id: MessageId,
    /// The first answer; a duplicate gets it again.
    pub answer: Result<Answer, Refusal>,
    /// When it was answered.
    pub at: Timestamp,
}

/// A message between partitions that arrived ahead of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Where it came from.
    pub source: Partition,
    /// Its number from there.
    pub sequence: u64,
    /// The message.
    pub message: PartitionMessage,
}
