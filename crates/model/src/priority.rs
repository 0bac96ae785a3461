//! Whose turn comes first.

use serde::{Deserialize, Serialize};

/// How soon an activity is begun, among those that wait: a queue with priorities keeps each apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// Before all others.
    High,
    /// As most.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl Priority {
    /// All, the first in turn first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// Returns whether it is that of a call which says nothing.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}
