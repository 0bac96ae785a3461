//! Messages that nobody has confirmed yet.

use serde::{Deserialize, Serialize};
use warren_model::{AnswerTo, EventRaised, ExecutionId, InstanceId, Parent, Partition, PartitionMessage};

use super::is_false;

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
