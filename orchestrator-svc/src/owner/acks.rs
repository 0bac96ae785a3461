//! Which deliveries may be acknowledged: `multiple` acks reach only to the tag below which all is committed.

use std::collections::VecDeque;

/// Batches of deliveries in order of arrival, each with what it waits for.
#[derive(Debug, Default)]
pub(super) struct Acks {
    waiting: VecDeque<Batch>,
    next_dead: u64,
}

#[derive(Debug)]
struct Batch {
    tag: u64,
    /// The commit that must be written first.
    number: u64,
    /// The messages for the dead queue that must be confirmed first.
    dead: Option<u64>,
}

impl Acks {
    /// Adds a batch that ends with the delivery `tag` and waits for commit `number`, and for messages to the dead queue
    /// if `has_dead`; returns the number of those.
    pub(super) fn push(&mut self, tag: u64, number: u64, has_dead: bool) -> Option<u64> {
        let dead = has_dead.then(|| self.dead_ticket());
        self.waiting.push_back(Batch { tag, number, dead });
        dead
    }

    /// Returns a number for messages to the dead queue.
    pub(super) fn dead_ticket(&mut self) -> u64 {
        self.next_dead += 1;
        self.next_dead
    }

    /// Notes that messages to the dead queue are confirmed.
    pub(super) fn dead_confirmed(&mut self, dead: u64) {
        for batch in self.waiting.iter_mut().filter(|batch| batch.dead == Some(dead)) {
            batch.dead = None;
        }
    }

    /// Returns the tag up to which everything may be acknowledged, if it has risen.
    pub(super) fn take(&mut self, committed: u64) -> Option<u64> {
        let mut tag = None;
        while let Some(batch) = self.waiting.front() {
            if batch.number > committed || batch.dead.is_some() {
                break;
            }
            tag = Some(batch.tag);
            self.waiting.pop_front();
        }
        tag
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
