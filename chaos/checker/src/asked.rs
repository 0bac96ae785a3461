//! What clients asked for, and what they were told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that clients asked for in a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Asked {
    /// The instances.
    pub cases: Vec<Case>,
    /// What the clients were answered to starts, every time.
    pub answered: Vec<Answered>,
    /// The outcomes that clients were told, every time.
    pub told: Vec<Told>,
}

/// One instance that was asked for, and how it must end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The id of the message that starts it, the same in every repetition.
    pub message: String,
    /// The instance id that was asked for; `None`: the hub derives one from the message.
    pub instance: Option<String>,
    /// Which orchestrator.
    pub orchestrator: String,
    /// How many steps are to be done by activities, over all its children and executions: numbered from 0.
    pub steps: u32,
    /// Whether it continues as new: then it has more than one execution.
    pub continues: bool,
    /// How it must end.
    pub end: End,
    /// The serials of the events that it was sent; each must be taken once.
    pub signals: BTreeSet<u32>,
}

/// How an instance must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It returns this number.
    Returns(u32),
    /// It fails.
    Fails,
    /// It is terminated, and its children with it.
    Terminated,
}

impl End {
    /// Returns the status of what ended so.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Returns(_) => "Completed",
            Self::Fails => "Failed",
            Self::Terminated => "Terminated",
        }
    }
}

/// The answer to one start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answered {
    /// The message that was answered.
    pub message: String,
    /// The instance that it says.
    pub instance: String,
    /// The execution that it says, where the way of asking tells it.
    pub execution: Option<String>,
}

/// The end of an instance, as one client was told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The message that had asked for the instance.
    pub message: String,
    /// Which instance.
    pub instance: String,
    /// Its status, in the words of the wire.
    pub status: String,
    /// What it returned, or its failure.
    pub body: Value,
}
