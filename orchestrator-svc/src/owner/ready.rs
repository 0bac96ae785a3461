//! Instances with pending messages that may be able to go on.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
};

use warren_model::InstanceId;

/// A set that is gone through in rounds, so that whoever comes back at once does not keep the others waiting.
#[derive(Debug, Default)]
pub(super) struct Ready {
    ids: BTreeSet<InstanceId>,
    last: Option<InstanceId>,
}

impl Ready {
    pub(super) fn insert(&mut self, id: InstanceId) {
        self.ids.insert(id);
    }

    /// Takes the next one.
    pub(super) fn pop(&mut self) -> Option<InstanceId> {
        let behind = self.last.as_ref().and_then(|last| self.ids.range((Excluded(last), Unbounded)).next());
        let next = behind.or_else(|| self.ids.first())?.clone();
        self.ids.remove(&next);
        self.last = Some(next.clone());
        Some(next)
    }
}

impl FromIterator<InstanceId> for Ready {
    fn from_iter<T: IntoIterator<Item = InstanceId>>(ids: T) -> Self {
        Self { ids: ids.into_iter().collect(), last: None }
    }
}
