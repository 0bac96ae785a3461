//! What a worker is made for.

use warren_broker::Lane;
use warren_model::Priority;

use super::bound::Bound;

/// A work-item queue that a worker serves: each lane is a [`QueueId`](super::QueueId) to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its name, without the hub's prefix.
    pub name: String,
    /// What holds its work items.
    pub lanes: Vec<Lane>,
    /// What holds for all lanes together.
    pub whole: Bound,
    /// What holds for the lanes of each number, whatever their priority.
    pub each: Bound,
    /// Whether its lanes are consumed only while the worker holds its baton.
    pub has_baton: bool,
}

impl<T: Into<String>> From<T> for Served {
    fn from(name: T) -> Self {
        let name = name.into();
        let lanes = vec![Lane { name: name.clone(), priority: Priority::Normal, number: 0 }];
        Self { name, lanes, whole: Bound::default(), each: Bound::default(), has_baton: false }
    }
}
