//! What of a stream is under way: messages of the same instance one after another, and how far all is done with.

use std::collections::{BTreeMap, HashMap, VecDeque};

use warren_model::InstanceId;

/// The messages under way, of which each has an offset and a tag, both rising.
#[derive(Debug)]
pub(super) struct Window<T> {
    /// Tag and whether it is done with, by offset.
    under_way: BTreeMap<u64, (u64, bool)>,
    /// The first offset that is not done with, once anything has arrived.
    next: Option<u64>,
    /// What waits for an earlier message of its instance.
    waiting: HashMap<InstanceId, VecDeque<T>>,
}

impl<T> Window<T> {
    pub(super) fn new() -> Self {
        Self { under_way: BTreeMap::new(), next: None, waiting: HashMap::new() }
    }

    /// Notes that a message has arrived. Returns it if it may begin: no other of its instance is under way.
    pub(super) fn arrive(&mut self, offset: u64, tag: u64, instance: Option<&InstanceId>, message: T) -> Option<T> {
        self.under_way.insert(offset, (tag, false));
        let Some(instance) = instance else { return Some(message) };
        match self.waiting.get_mut(instance) {
            Some(waiting) => {
                waiting.push_back(message);
                None
            }
            None => {
                self.waiting.insert(instance.clone(), VecDeque::new());
                Some(message)
            }
        }
    }

    /// Notes that a message is done with. Returns the one of its instance that may begin.
    pub(super) fn done(&mut self, offset: u64, instance: Option<&InstanceId>) -> Option<T> {
        if let Some((_, is_done)) = self.under_way.get_mut(&offset) {
            *is_done = true;
        }
        let instance = instance?;
        let next = self.waiting.get_mut(instance)?.pop_front();
        if next.is_none() {
            self.waiting.remove(instance);
        }
        next
    }

    /// Moves past what is done with. Returns the tag up to which to acknowledge.
    pub(super) fn advance(&mut self) -> Option<u64> {
        let mut last = None;
        while let Some(first) = self.under_way.first_entry().filter(|first| first.get().1) {
            self.next = Some(first.key() + 1);
            last = Some(first.remove().0);
        }
        last
    }

    /// Returns the first offset that is not done with, once one before it is.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }
}

#[cfg(test)]
#[path = "window_test.rs"]
mod test;
