//! What is known of tasks and instances beyond their histories.

use serde::{Deserialize, Serialize};
use warren_model::{ActionId, ExecutionId, InstanceId, Payload, Timeouts, Timestamp};

use super::is_false;

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
