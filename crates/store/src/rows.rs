//! What crosses the traits: rows to write, rows that were read.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use warren_model::{
    ActionId, Answer, AnswerTo, EventRaised, ExecutionId, InboxMessage, InstanceId, InstanceRecord, MessageId, Parent,
    Partition, PartitionCount, PartitionMessage, Payload, Refusal, Timeouts, Timestamp, TurnRecord,
};

use crate::Epoch;

/// What a hub is to be when it is made; a store that holds another one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSpec {
    /// Its name.
    pub name: String,
    /// How many partitions it has, for ever.
    pub partitions: PartitionCount,
}

/// A hub as the store holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: PartitionCount,
    /// The key of token digests; made at random with the hub. Never printed.
    pub secret: [u8; 16],
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("name", &self.name).field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

/// The state of a partition's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which partition.
    pub partition: Partition,
    /// Who holds it; `None` after a release.
    pub owner: Option<String>,
    /// Rises with each change of owner.
    pub epoch: Epoch,
    /// Rises with each renewal.
    pub counter: i64,
}

/// A process that stands for a share of the partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it calls itself in leases.
    pub replica: String,
    /// Rises with each renewal. Who has stopped renewing is forgotten after a minute.
    pub counter: i64,
}

/// Who owns what at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Every partition's lease, in order.
    pub leases: Vec<Lease>,
    /// Who stands for partitions, by name.
    pub replicas: Vec<Standing>,
    /// The database's clock.
    pub now: Timestamp,
}

/// What a renewal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The partitions that somebody else has taken.
    pub lost: Vec<Partition>,
    /// The database's clock.
    pub now: Timestamp,
}

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

/// What is known of an open task beyond its history: who runs it, and how often it was begun again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskNote {
    /// Whose.
    pub instance: InstanceId,
    /// Which execution's.
    pub execution: ExecutionId,
    /// Which.
    pub id: ActionId,
    /// Which attempt of it.
    pub attempt: u32,
    /// The activity, for a person.
    pub activity: String,
    /// How often a worker was let begin it since it came again.
    pub count: u32,
    /// By which the question is known that was counted last: the same again is not counted.
    pub asked: String,
    /// The workers that were let begin it, the last ones, for a person.
    pub workers: Vec<String>,
    /// Why no worker is let begin it any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// Who runs it, if a worker has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<TaskRun>,
    /// How far it has come, as the last heartbeat said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Payload>,
    /// Whether a worker that stopped has handed it back: that it begins again is not counted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_handed_back: bool,
}

impl TaskNote {
    /// Returns the note of an attempt of which nothing is known yet.
    pub fn new(instance: InstanceId, execution: ExecutionId, id: ActionId, attempt: u32, activity: String) -> Self {
        Self {
            instance,
            execution,
            id,
            attempt,
            activity,
            count: 0,
            asked: String::new(),
            workers: Vec::new(),
            quarantine: None,
            run: None,
            progress: None,
            is_handed_back: false,
        }
    }

    /// Returns whether it is about this attempt of its task.
    pub fn is_about(&self, execution: ExecutionId, attempt: u32) -> bool {
        (self.execution, self.attempt) == (execution, attempt)
    }
}

/// A task that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRun {
    /// What the worker calls itself, for a person.
    pub worker: String,
    /// Another one that runs the same attempt: its work item was there twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// When its owner heard that it had begun.
    pub started_at: Timestamp,
    /// For how long the worker may be silent, in milliseconds; absent: only the broker can tell whether it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
    /// Whether something else completes it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_handed_over: bool,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Timeouts::is_none")]
    pub timeouts: Timeouts,
}

impl TaskRun {
    /// Returns whether its worker has given it up: the owner sends its work item again.
    pub fn is_given_up(&self) -> bool {
        self.lease_ms == Some(0)
    }
}

/// An instance that may have taken its owner down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Which.
    pub instance: InstanceId,
    /// How many times.
    pub count: u32,
    /// What happened, for a person.
    pub reason: String,
}

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
    /// Instance rows, inserted or replaced. A row whose turn changes its [`Progress`] alone may be left out: whoever reads
    /// takes that from the last turn of the present execution.
    pub instances: Vec<InstanceRecord>,
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

/// Names one turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnKey {
    /// The instance.
    pub instance: InstanceId,
    /// The execution.
    pub execution: ExecutionId,
    /// Its number in the execution, from 0.
    pub turn: u32,
}

/// One turn of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Which turn.
    pub key: TurnKey,
    /// The JSON of a [`TurnRecord`], byte for byte.
    pub body: String,
    /// How far its instance has come with it.
    pub progress: Progress,
}

/// What every turn changes of its instance's row, besides how many turns there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// When the instance last changed.
    pub updated_at: Timestamp,
    /// How many events the execution's history has.
    pub history_events: u64,
    /// How many bytes they take.
    pub history_bytes: u64,
}

impl Progress {
    /// Returns that of a row.
    pub fn of(record: &InstanceRecord) -> Self {
        let InstanceRecord { updated_at, history_events, history_bytes, .. } = *record;
        Self { updated_at, history_events, history_bytes }
    }
}

impl TurnRow {
    /// Notes in the row of its instance how far that has come, unless the row is of another execution or knows.
    pub fn note_in(&self, record: &mut InstanceRecord) {
        if record.execution == self.key.execution && record.turn <= self.key.turn {
            record.turn = self.key.turn + 1;
            let Progress { updated_at, history_events, history_bytes } = self.progress;
            (record.updated_at, record.history_events, record.history_bytes) =
                (updated_at, history_events, history_bytes);
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

/// The turns of one batch whose messages are not confirmed yet. The messages are rebuilt from the turns: no bodies here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The number of the commit.
    pub number: u64,
    /// What it sends.
    pub entries: Vec<OutboxEntry>,
}

/// What an unconfirmed batch sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboxEntry {
    /// The messages of a turn, rebuilt from its row.
    Turn(OutboxTurn),
    /// A message that belongs to no turn (a child's start was refused, say).
    Message {
        /// The partition it goes to.
        target: Partition,
        /// Its number there.
        sequence: u64,
        /// The message.
        message: PartitionMessage,
    },
    /// An event that nobody takes, on its way to the dead queue.
    Dead {
        /// Who was to get it.
        instance: InstanceId,
        /// The event.
        event: EventRaised,
        /// Why nobody does.
        reason: String,
    },
    /// An execution that is over (it continued as new, or was replaced): its turns go with the row, once everything of
    /// them is confirmed.
    Over {
        /// The instance.
        instance: InstanceId,
        /// The execution.
        execution: ExecutionId,
    },
}

/// One turn with unconfirmed messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxTurn {
    /// The instance.
    pub instance: InstanceId,
    /// The execution.
    pub execution: ExecutionId,
    /// The turn.
    pub turn: u32,
    /// The (target partition, sequence) of its messages to partitions, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<(Partition, u64)>,
    /// If the turn ended the instance: its parent (its row may belong to a later start by the time this is read).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// If the turn ended the instance: who else is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_to: Option<AnswerTo>,
    /// The limit for payloads under which the turn ran: what is over it was never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_max: Option<usize>,
    /// The trace that the execution's start continues, so that its messages are in that again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Whether all of it is confirmed but its messages to partitions, which these have yet to say that they have taken.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_words: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
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
