//! An event that a client has raised.

use std::collections::BTreeSet;

use warren_model::{ExecutionId, InstanceId};

/// What became of an event.
#[derive(Debug)]
pub(crate) struct Raised {
    pub(crate) instance: InstanceId,
    /// Whether its sender was told so.
    pub(crate) is_accepted: bool,
    /// Whether it reached the dead queue.
    pub(crate) is_dead: bool,
    /// The executions whose histories have it: several if it was carried over.
    pub(crate) seen_in: BTreeSet<ExecutionId>,
}

impl Raised {
    pub(crate) fn new(instance: InstanceId) -> Self {
        Self { instance, is_accepted: false, is_dead: false, seen_in: BTreeSet::new() }
    }
}
