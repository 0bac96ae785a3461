//! Events: what happened, as history holds it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ActionId, AnswerTo, ExecutionId, Failure, InstanceId, Payload, Priority};

/// How something ended: its result, or why there is none.
pub type Outcome = Result<Payload, Failure>;

/// Something that happened in an execution. In history's JSON the name is the key: `{"TimerFired":{"id":3}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A turn began.
    OrchestratorStarted(OrchestratorStarted),
    /// The execution began.
    ExecutionStarted(ExecutionStarted),
    /// The orchestrator asked for an activity.
    TaskScheduled(TaskScheduled),
    /// An activity succeeded.
    TaskCompleted {
        /// Which task.
        id: ActionId,
        /// What it gave.
        result: Payload,
    },
    /// An activity failed.
    TaskFailed {
        /// Which task.
        id: ActionId,
        /// Why.
        failure: Failure,
    },
    /// The orchestrator gave an activity up before it had ended.
    TaskCanceled {
        /// Which task.
        id: ActionId,
    },
    /// The orchestrator asked for a child.
    SubOrchestrationInstanceCreated(SubOrchestrationCreated),
    /// A child succeeded.
    SubOrchestrationInstanceCompleted {
        /// The action that asked for it.
        id: ActionId,
        /// What it gave.
        result: Payload,
    },
    /// A child failed.
    SubOrchestrationInstanceFailed {
        /// The action that asked for it.
        id: ActionId,
        /// Why.
        failure: Failure,
    },
    /// The orchestrator asked to be woken.
    TimerCreated(TimerCreated),
    /// A timer came due.
    TimerFired {
        /// Which timer.
        id: ActionId,
    },
    /// The orchestrator dropped a timer before it came due.
    TimerCanceled {
        /// Which timer.
        id: ActionId,
    },
    /// Somebody sent the instance an event.
    EventRaised(EventRaised),
    /// The orchestrator sent another instance an event.
    EventSent(EventSent),
    /// The instance was told to pause.
    ExecutionSuspended(Lifecycle),
    /// The instance was told to go on.
    ExecutionResumed(Lifecycle),
    /// The instance was ended from outside.
    ExecutionTerminated(ExecutionTerminated),
    /// A child was told to end because its parent did.
    TerminateSent(TerminateSent),
    /// The orchestrator returned.
    ExecutionCompleted(ExecutionCompleted),
    /// The orchestrator began anew with a fresh history.
    ContinueAsNew(ExecutionContinued),
}

/// When a turn began; the orchestrator's `now` during it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrchestratorStarted {
    /// The owner's clock; never earlier than in the turn before.
    pub at: Timestamp,
}

/// What an execution began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionStarted {
    /// Which orchestrator.
    pub name: String,
    /// Which version of it; absent until the first turn has pinned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its input.
    pub input: Payload,
    /// Who waits for its outcome as a parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Who else is told the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_to: Option<AnswerTo>,
    /// What a client may search by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The W3C trace context that it continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The task of another orchestration that a child answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its instance.
    pub instance: InstanceId,
    /// Its execution.
    pub execution: ExecutionId,
    /// The action that asked for the child.
    pub task: ActionId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// An activity that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskScheduled {
    /// Its place among the actions.
    pub id: ActionId,
    /// Which activity.
    pub name: String,
    /// The work-item queue; absent: the activity's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Its input.
    pub input: Payload,
    /// Which attempt by a retry policy, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// The action of the first attempt, if this is a later one: what all attempts share (their idempotency key).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<ActionId>,
    /// For whom it is, where its queue has lanes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How soon it is begun, where its queue has priorities.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// How long this attempt may take.
    #[serde(default, skip_serializing_if = "Timeouts::is_none")]
    pub timeouts: Timeouts,
    /// How far the attempt before it had come, as its last heartbeat said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Payload>,
}

/// How long one attempt of an activity may take, in milliseconds; what is absent has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// From the turn that asks for it until a worker begins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_to_start_ms: Option<u64>,
    /// From when a worker begins it until its reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_to_close_ms: Option<u64>,
    /// From one heartbeat of its own to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_ms: Option<u64>,
}

impl Timeouts {
    /// Returns whether there is no limit.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the time so many milliseconds after another.
    pub fn after(start: Timestamp, milliseconds: u64) -> Timestamp {
        let wait = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
        start.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

fn first() -> u32 {
    1
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(attempt: &u32) -> bool {
    *attempt == 1
}

impl TaskScheduled {
    /// Returns the first attempt of a task on the activity's own queue, without limits.
    pub fn new(id: ActionId, name: impl Into<String>, input: Payload) -> Self {
        let timeouts = Timeouts::default();
        Self {
            id,
            name: name.into(),
            queue: None,
            input,
            attempt: 1,
            retry_of: None,
            key: None,
            priority: Priority::Normal,
            timeouts,
            progress: None,
        }
    }

    /// Returns the action of the first attempt: the same for all attempts of a call.
    pub fn first_attempt(&self) -> ActionId {
        self.retry_of.unwrap_or(self.id)
    }

    /// Returns the name of the work-item queue, without the hub's prefix.
    pub fn queue(&self) -> &str {
        self.queue.as_deref().unwrap_or(&self.name)
    }
}

/// What becomes of a child when its parent ends first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClosePolicy {
    /// It is terminated.
    #[default]
    Terminate,
    /// It goes on alone.
    Abandon,
}

/// A child that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubOrchestrationCreated {
    /// Its place among the actions.
    pub id: ActionId,
    /// The child's instance id.
    pub instance: InstanceId,
    /// Which orchestrator.
    pub name: String,
    /// Which version; absent: the newest that its owner knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its input.
    pub input: Payload,
    /// Which attempt by a retry policy, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// What becomes of it when its parent ends.
    #[serde(default)]
    pub close: ClosePolicy,
}

/// A timer that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerCreated {
    /// Its place among the actions.
    pub id: ActionId,
    /// When it comes due.
    pub fire_at: Timestamp,
}

/// An event from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRaised {
    /// What waiters know it by.
    pub name: String,
    /// What it says.
    pub input: Payload,
}

/// An event for another instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSent {
    /// Its place among the actions.
    pub id: ActionId,
    /// Who gets it.
    pub instance: InstanceId,
    /// What waiters know it by.
    pub name: String,
    /// What it says.
    pub input: Payload,
}

/// Why the instance was suspended or resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// In the words of who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why the instance was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionTerminated {
    /// In the words of who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether its open children end with it.
    pub recursive: bool,
}

/// A child that was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminateSent {
    /// The action that had asked for the child.
    pub id: ActionId,
    /// Which attempt of it, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// The child.
    pub instance: InstanceId,
    /// Why.
    pub reason: String,
}

/// How the execution ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionCompleted {
    /// Its result, or why there is none.
    pub outcome: Outcome,
}

/// How the execution goes on anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionContinued {
    /// The input of the next execution.
    pub input: Payload,
    /// The next execution.
    pub execution: ExecutionId,
}

/// One turn as a row of history holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Version of the format; see [`TurnRecord::FORMAT`].
    pub format: u8,
    /// What came in, then what was asked for, then how it ended.
    pub events: Vec<Event>,
}

impl TurnRecord {
    /// The format that this code writes.
    pub const FORMAT: u8 = 1;

    /// Returns a record in today's format.
    pub fn new(events: Vec<Event>) -> Self {
        Self { format: Self::FORMAT, events }
    }
}
