//! Commands: what a client asks for, and what it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ExecutionId, InstanceId, Outcome, Payload, Status, Token};

/// What a client asks of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin it.
    Start(StartRequest),
    /// Send it an event.
    Raise {
        /// What waiters know it by.
        event: String,
        /// What it says.
        input: Payload,
        /// Whether an instance that nobody has seen yet gets it later (from other systems) or the sender is told (from HTTP).
        keep_unseen: bool,
    },
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
    /// End one of its tasks: what a worker has handed over, or anything else whose token the sender has.
    Complete {
        /// Which attempt of which task.
        token: Token,
        /// How it ended.
        outcome: Outcome,
    },
    /// Remove what is stored of it, now that it has ended.
    Purge {
        /// Only if this is its execution: what was seen is what goes.
        execution: Option<ExecutionId>,
    },
    /// Tell me when it has ended. Changes nothing.
    Wait,
}

/// What a start says besides the instance's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRequest {
    /// Which orchestrator.
    pub name: String,
    /// Which version; absent: the newest that the owner knows.
    pub version: Option<String>,
    /// Its input.
    pub input: Payload,
    /// What a client may search by.
    pub tags: BTreeMap<String, String>,
    /// The W3C trace context that it continues.
    pub traceparent: Option<String>,
    /// What becomes of it if its instance's id ran before.
    pub if_exists: IfExists,
}

/// What becomes of a start whose instance's id was used before, by another start. (The same start again is always the
/// same: known by its message id, it begins nothing.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfExists {
    /// It is refused, [`RefusalCode::Exists`].
    #[default]
    Fail,
    /// An instance that has ended goes, and another begins under its id; one that has not is as with [`IfExists::Fail`].
    ReplaceEnded,
    /// It begins nothing and is answered as if it had begun the instance that is there, ended or not.
    UseExisting,
}

impl IfExists {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Fail, Self::ReplaceEnded, Self::UseExisting];

    /// Returns the name, as headers and URLs have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::ReplaceEnded => "replace-ended",
            Self::UseExisting => "use-existing",
        }
    }
}

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerTo {
    /// The queue that `reply_to` named.
    pub reply_to: String,
    /// The sender's own correlation id, echoed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Whether the sender reads the hub's store, so that a large outcome need not travel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stored: bool,
    /// Whether the sender takes packs, so that its answers may travel together.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packs: bool,
}

/// When the sender of a command wants its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerWhen {
    /// When the instance has ended.
    #[default]
    Outcome,
    /// When the command is committed.
    Accepted,
}

/// The answer to a command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The instance.
    pub instance: InstanceId,
    /// The execution that the command met or began.
    pub execution: ExecutionId,
    /// How the instance stands after the command.
    pub status: Status,
    /// What the sender should know although the command was carried out (an orchestrator that nobody serves, say).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// The answer to a command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What a program tells refusals apart by.
    pub code: RefusalCode,
    /// What a person reads.
    pub message: String,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// A start's instance id is in use. HTTP 409.
    Exists,
    /// Nobody has seen the instance. HTTP 404.
    NotFound,
    /// The instance has ended, or was purged. HTTP 410.
    Gone,
    /// The instance has not ended, and what is asked for is for those that have. HTTP 409.
    Running,
    /// The message can't be understood. HTTP 400.
    Invalid,
    /// What is stored of the instance can't be read; somebody must mend it. HTTP 500.
    Unreadable,
    /// A payload is over its limit. HTTP 413.
    TooLarge,
}
