//! Redispatch: what is open is sent again, when what carried it is lost.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::InstanceId;

/// Which open work is sent again. The same work under the same token: whoever has it already knows it for the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redispatch {
    /// Only tasks of this work-item queue (and then no children).
    pub queue: Option<String>,
    /// Only what was asked for so many seconds ago or earlier.
    pub older_than_seconds: u64,
    /// Only what this instance waits for.
    pub instance: Option<InstanceId>,
}

/// What was sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redispatched {
    /// Instances that wait for some of it.
    pub instances: u64,
    /// Work items.
    pub tasks: u64,
    /// Starts of children.
    pub children: u64,
}

impl AddAssign for Redispatched {
    fn add_assign(&mut self, more: Self) {
        self.instances += more.instances;
        self.tasks += more.tasks;
        self.children += more.children;
    }
}
