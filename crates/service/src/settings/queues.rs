//! `[queues.NAME]`: rules of a work-item queue.

use serde::{Deserialize, Serialize};

use crate::Problems;

/// What holds for one work-item queue, in every service. By default nothing does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueSettings {
    /// Over how many further queues calls with a key are spread.
    pub lanes: u16,
    /// Whether calls of high and of low priority have queues of their own.
    pub priorities: bool,
    /// How many of each lane run at a time, in the whole fleet; 0: any number.
    pub limit: u16,
    /// How many of each lane begin in a minute, in the whole fleet; 0: any number.
    pub per_minute: u32,
}

impl QueueSettings {
    /// Returns whether a single worker must serve it.
    pub fn is_limited(&self) -> bool {
        self.limit > 0 || self.per_minute > 0
    }

    pub(super) fn check(&self, name: &str, problems: &mut Problems) {
        problems.range(&format!("queues.{name}.lanes"), self.lanes, 0, 256);
        if name.contains('~') {
            problems
                .add(&format!("queues.{name}"), format!("queues.{name} is a lane: the rules of its queue hold for it"));
        }
        if self.priorities && self.is_limited() {
            let key = format!("queues.{name}.priorities");
            let message = format!(
                "{key} = true beside limit or per_minute: each priority is a queue of its own, with a limit of its own; leave one out"
            );
            problems.add(&key, message);
        }
    }
}
