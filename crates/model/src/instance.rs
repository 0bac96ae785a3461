//! The instance row: what is known of an orchestration besides its history.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AnswerTo, ExecutionId, InstanceId, MessageId, Parent, Payload};

/// How an instance stands. The names are those of Durable Functions' `runtimeStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Accepted, and has not run yet.
    Pending,
    /// Has begun and has not ended.
    Running,
    /// Told to pause.
    Suspended,
    /// Returned a result.
    Completed,
    /// Returned a failure.
    Failed,
    /// Ended from outside.
    Terminated,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Suspended, Self::Completed, Self::Failed, Self::Terminated];

    /// Returns whether the instance has ended.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Terminated => true,
            Self::Pending | Self::Running | Self::Suspended => false,
        }
    }

    /// Returns the name, as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Suspended => "Suspended",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Terminated => "Terminated",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an instance that has not ended can't go on by itself. It keeps what arrives and goes on once the cause is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which kind of cause.
    pub kind: ConditionKind,
    /// What is wrong and what to do, for a person.
    pub message: String,
    /// The same for a program (for [`ConditionKind::Blocked`]: turn, recorded, emitted, field).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Payload>,
}

/// What keeps an instance from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// The code no longer asks for what history has recorded.
    Blocked,
    /// The code awaits something that is not durable.
    Stuck,
    /// The code panicked.
    Panicked,
    /// No owner knows the orchestrator or the version.
    UnknownOrchestrator,
    /// The history has reached its limit.
    HistoryLimit,
    /// The stored history can't be read.
    Corrupt,
    /// It took its owner down too often.
    Quarantined,
}

/// Everything about an instance that is not its history. One row of the store, written with each turn that changes more
/// than how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRecord {
    /// The instance.
    pub id: InstanceId,
    /// Its present (or last) execution.
    pub execution: ExecutionId,
    /// Which orchestrator.
    pub name: String,
    /// The version that was pinned at its first turn.
    pub version: Option<String>,
    /// How it stands.
    pub status: Status,
    /// What keeps it from going on.
    pub condition: Option<Condition>,
    /// How many turns of the present execution are recorded; the next turn has this number.
    pub turn: u32,
    /// When its first execution was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What it shows of itself.
    pub custom_status: Option<Payload>,
    /// Who waits for it as a parent.
    pub parent: Option<Parent>,
    /// Who else is told the outcome.
    pub answer_to: Option<AnswerTo>,
    /// The message that started it, by which a duplicate start is known.
    pub start_id: MessageId,
    /// What a client may search by.
    pub tags: BTreeMap<String, String>,
    /// How many events the present execution's history has.
    pub history_events: u64,
    /// How many bytes they take.
    pub history_bytes: u64,
}

impl InstanceRecord {
    /// Becomes the row that it is after a turn; returns whether the two differ in more than what every turn changes: how
    /// many turns, events and bytes the history has, and when the instance last changed.
    pub fn follow(&mut self, after: &Self) -> bool {
        if !self.differs_in_progress_alone(after) {
            *self = after.clone();
            return true;
        }
        (self.turn, self.updated_at) = (after.turn, after.updated_at);
        (self.history_events, self.history_bytes) = (after.history_events, after.history_bytes);
        false
    }

    fn differs_in_progress_alone(&self, other: &Self) -> bool {
        let Self {
            id,
            execution,
            name,
            version,
            status,
            condition,
            turn: _,
            created_at,
            updated_at: _,
            custom_status,
            parent,
            answer_to,
            start_id,
            tags,
            history_events: _,
            history_bytes: _,
        } = self;
        (execution, status, condition, version) == (&other.execution, &other.status, &other.condition, &other.version)
            && (custom_status, parent, answer_to) == (&other.custom_status, &other.parent, &other.answer_to)
            && (id, name, start_id, tags, created_at)
                == (&other.id, &other.name, &other.start_id, &other.tags, &other.created_at)
    }
}
