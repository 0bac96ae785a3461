//! What an orchestration of the storm returns.

use serde::{Deserialize, Serialize};

/// What an orchestration of the storm returns: enough to prove where each part of it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// A number that follows from the input alone.
    pub value: u32,
    /// The runs of activities that it rests on, in the order of steps.
    pub runs: Vec<u64>,
    /// The serials of the events that it took, in the order in which it took them.
    pub signals: Vec<u32>,
    /// What makes it large, where it is to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ballast: String,
}
