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
    /// How many of all lanes together run at a time, in the whole fleet; 0: any number.
    pub limit: u16,
    /// How many of all lanes together begin in a minute, in the whole fleet; 0: any number.
    pub per_minute: u32,
    /// How many of each lane run at a time, in the whole fleet; 0: any number.
    pub lane_limit: u16,
    /// How many of each lane begin in a minute, in the whole fleet; 0: any number.
    pub lane_per_minute: u32,
}

impl QueueSettings {
    /// Returns whether a single worker at a time must serve each of its lanes.
    pub fn is_limited(&self) -> bool {
        self.is_limited_as_a_whole() || self.limits_lanes()
    }

    /// Returns whether a single worker at a time must serve all of its lanes: it counts over several of them.
    pub fn has_baton(&self) -> bool {
        let has_several = self.lanes > 0 || self.priorities;
        (self.is_limited_as_a_whole() && has_several) || (self.limits_lanes() && self.priorities)
    }

    fn is_limited_as_a_whole(&self) -> bool {
        self.limit > 0 || self.per_minute > 0
    }

    fn limits_lanes(&self) -> bool {
        self.lane_limit > 0 || self.lane_per_minute > 0
    }

    pub(super) fn check(&self, name: &str, problems: &mut Problems) {
        problems.range(&format!("queues.{name}.lanes"), self.lanes, 0, 256);
        if name.contains('~') {
            problems
                .add(&format!("queues.{name}"), format!("queues.{name} is a lane: the rules of its queue hold for it"));
        }
        let limits = ("limit", self.limit.into(), self.lane_limit.into());
        for (field, whole, each) in [limits, ("per_minute", self.per_minute, self.lane_per_minute)] {
            let (of_all, key) = (format!("queues.{name}.{field}"), format!("queues.{name}.lane_{field}"));
            if each > 0 && self.lanes == 0 {
                let message = format!("{key} without queues.{name}.lanes: say {of_all}, or how many lanes there are");
                problems.add(&key, message);
            } else if each > whole && whole > 0 {
                let message = format!(
                    "{key} = {each} is more than {of_all} = {whole}, which holds for all lanes together: lower it, or leave it out"
                );
                problems.add(&key, message);
            }
        }
    }
}

#[cfg(test)]
#[path = "queues_test.rs"]
mod test;
