//! Messages: what owners, workers and partitions tell each other.

use serde::{Deserialize, Serialize};

use crate::{
    ActionId, AnswerTo, EventRaised, ExecutionId, ExecutionStarted, InstanceId, MessageId, Outcome, Parent, Status,
    TaskScheduled,
};

/// A message for one instance, as its owner feeds it to the engine (and keeps it while the instance can't run).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboxMessage {
    /// Begin this execution.
    Start {
        /// Its id, derived from `cause`.
        execution: ExecutionId,
        /// The message that asked for it.
        cause: MessageId,
        /// What it begins with.
        started: ExecutionStarted,
    },
    /// A task has ended.
    Task(TaskEnded),
    /// A child has ended.
    Child(ChildEnded),
    /// A timer has come due.
    Timer {
        /// The execution that created it.
        execution: ExecutionId,
        /// Which timer.
        id: ActionId,
    },
    /// An event for it.
    Raise(EventRaised),
    /// End it.
    Terminate {
        /// Why.
        reason: Option<String>,
        /// Whether its open children end with it.
        recursive: bool,
    },
    /// Pause it.
    Suspend {
        /// Why.
        reason: Option<String>,
    },
    /// Let it go on.
    Resume {
        /// Why.
        reason: Option<String>,
    },
}

/// A worker's reply: the end of one attempt of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnded {
    /// The execution that scheduled it.
    pub execution: ExecutionId,
    /// Which task.
    pub task: ActionId,
    /// Which attempt.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// The end of a child, for its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildEnded {
    /// The parent's execution.
    pub execution: ExecutionId,
    /// The action that asked for the child.
    pub task: ActionId,
    /// Which attempt.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// The start of a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildStart {
    /// The child's instance id.
    pub instance: InstanceId,
    /// What it begins with, its parent included.
    pub started: ExecutionStarted,
}

impl ChildStart {
    /// Returns the id by which a duplicate of the start is known: `{execution}:{task:04x}:{attempt}` of its parent.
    pub fn cause(parent: &Parent) -> MessageId {
        MessageId::new(&format!("{}:{:04x}:{}", parent.execution, parent.task.0, parent.attempt))
            .expect("hexadecimal digits, colons and numbers are short printable ASCII")
    }
}

/// What one partition tells another. On the wire it carries (source partition, sequence), given at the commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionMessage {
    /// Start this child.
    ChildStart(ChildStart),
    /// Your child has ended.
    ChildEnded {
        /// Whose child.
        parent: Parent,
        /// How it ended.
        outcome: Outcome,
    },
    /// An event from another instance.
    Raise {
        /// Who gets it.
        instance: InstanceId,
        /// The event.
        event: EventRaised,
    },
    /// Your parent has ended, end too.
    Terminate {
        /// The child.
        instance: InstanceId,
        /// The parent's execution and task that the child must belong to.
        parent: Parent,
        /// Why.
        reason: String,
    },
    /// One of these whose payload travelled apart and is not in the store any more.
    Vanished {
        /// What it was, without the payload.
        word: Box<PartitionMessage>,
        /// What is known of the payload.
        reason: String,
    },
}

impl PartitionMessage {
    /// Returns the instance that the message is for.
    pub fn target(&self) -> &InstanceId {
        match self {
            Self::ChildStart(start) => &start.instance,
            Self::ChildEnded { parent, .. } => &parent.instance,
            Self::Raise { instance, .. } | Self::Terminate { instance, .. } => instance,
            Self::Vanished { word, .. } => word.target(),
        }
    }
}

/// What a committed turn sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Work for a worker.
    WorkItem {
        /// Whose task.
        instance: InstanceId,
        /// Which execution's.
        execution: ExecutionId,
        /// The task.
        task: TaskScheduled,
        /// The W3C trace context of the orchestration.
        traceparent: Option<String>,
    },
    /// Word to another instance, on whichever partition it lives.
    ToPartition(PartitionMessage),
    /// The end of the instance, for whoever asked to be told.
    Outcome {
        /// Who asked.
        to: AnswerTo,
        /// Which instance.
        instance: InstanceId,
        /// Which execution.
        execution: ExecutionId,
        /// How it stands.
        status: Status,
        /// How it ended.
        outcome: Outcome,
    },
}
