//! The lanes of a work-item queue: itself, and the further queues that its rules add. Which of them a task goes to.
//!
//! ```text
//! charge              charge~1         charge~2        …   with no key, and by the key
//! charge~high         charge~high~1    charge~high~2   …
//! charge~low          charge~low~1     charge~low~2    …
//! ```

use serde::{Deserialize, Serialize};
use warren_model::{Priority, TaskScheduled};

use crate::{NameError, QueueKind, QueueSpec, Topology, name::check_without};

/// Rules of a work-item queue. Whoever publishes to it and whoever serves it must have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueRules {
    /// Over how many further lanes calls with a key are spread; 0: none.
    pub lanes: u16,
    /// Whether high and low priorities have lanes of their own.
    pub has_priorities: bool,
    /// Whether one worker at a time serves each lane, and so can hold a limit.
    pub is_limited: bool,
    /// Whether one worker at a time serves all lanes together: who holds the queue's baton.
    pub has_baton: bool,
}

/// One of the queues that hold the work items of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name, without the hub's prefix.
    pub name: String,
    /// What it holds.
    pub priority: Priority,
    /// Which of the lanes for calls with a key it is; 0: that of calls with none. Each priority has one of each number.
    pub number: u16,
}

/// What stands between the parts of a lane's name, and in no name that a person gives.
const MARK: char = '~';

impl Topology {
    /// Returns the queue that the work item of a task goes to: for the same key and priority always the same. Fails if it
    /// can't have that name.
    pub fn work_of(&self, task: &TaskScheduled) -> Result<QueueSpec, NameError> {
        let rules = self.rules_of(task.queue())?;
        let priority = if rules.has_priorities { task.priority } else { Priority::Normal };
        let number = task.key.as_deref().filter(|_| rules.lanes > 0).map(|key| number(key, rules.lanes));
        self.work(&name(task.queue(), priority, number.unwrap_or_default()))
    }

    /// Returns a queue's lanes, itself first; fails if the queue can't have that name.
    pub fn lanes(&self, queue: &str) -> Result<Vec<Lane>, NameError> {
        let rules = self.rules_of(queue)?;
        let priorities = [Priority::Normal, Priority::High, Priority::Low].into_iter();
        let priorities = priorities.take(if rules.has_priorities { 3 } else { 1 });
        let lane = |priority, number| Lane { name: name(queue, priority, number), priority, number };
        Ok(priorities.flat_map(|priority| (0..=rules.lanes).map(move |number| lane(priority, number))).collect())
    }

    /// Returns the queue whose baton says which worker serves the lanes of a work-item queue, if one must have it.
    pub fn baton_of_work(&self, queue: &str) -> Option<QueueSpec> {
        self.rules.get(queue).filter(|rules| rules.has_baton)?;
        Some(QueueSpec { name: format!("{}.limit.{queue}", self.hub()), kind: QueueKind::Baton })
    }

    /// Returns how a work-item queue is kept.
    pub fn kind_of_work(&self, queue: &str) -> QueueKind {
        match self.rules.get(whole(queue)) {
            Some(QueueRules { is_limited: true, .. }) => QueueKind::LimitedWork,
            Some(_) | None => QueueKind::Work,
        }
    }

    /// Returns whether a lane of this priority has others of its queue below it.
    pub fn has_lower(&self, lane: &str, priority: Priority) -> bool {
        self.rules.get(whole(lane)).is_some_and(|rules| rules.has_priorities) && priority != Priority::Low
    }

    fn rules_of(&self, queue: &str) -> Result<QueueRules, NameError> {
        check_without(MARK, queue)?;
        Ok(self.rules.get(queue).copied().unwrap_or_default())
    }
}

/// Returns the queue that a lane belongs to.
pub(crate) fn whole(lane: &str) -> &str {
    lane.split_once(MARK).map_or(lane, |(queue, _)| queue)
}

fn name(queue: &str, priority: Priority, number: u16) -> String {
    let priority = match priority {
        Priority::High => "~high",
        Priority::Normal => "",
        Priority::Low => "~low",
    };
    if number == 0 { format!("{queue}{priority}") } else { format!("{queue}{priority}{MARK}{number}") }
}

/// Returns which of so many lanes a key has.
fn number(key: &str, lanes: u16) -> u16 {
    let number = hash(key) % u64::from(lanes);
    u16::try_from(number).expect("a remainder is less than what was divided by") + 1
}

/// Returns a number that no version may change: FNV-1a, 64 bits (Fowler, Noll, Vo).
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[path = "work_queue_test.rs"]
mod test;
