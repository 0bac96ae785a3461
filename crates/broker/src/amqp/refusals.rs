//! Whether a channel has gone stale: pure bookkeeping.
//!
//! A channel of RabbitMQ 3.10 that publishes to a quorum queue for the first time just when the node of its leader is
//! gone remembers that node, and refuses everything for that queue for ever, long after another node leads it; on a new
//! channel all is well. Nothing tells this from a queue that is full, so whatever is refused for a while asks for a new
//! channel.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// For which queues the broker takes nothing from a channel, and since when.
#[derive(Debug)]
pub(super) struct Refusals {
    patience: Duration,
    since: HashMap<String, Instant>,
    is_stale: bool,
}

impl Refusals {
    /// Begins with a new channel, which is stale once a queue's messages are refused for as long as `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, since: HashMap::new(), is_stale: false }
    }

    /// Notes that the broker has taken a message for a queue.
    pub(super) fn taken(&mut self, queue: &str) {
        self.since.remove(queue);
    }

    /// Notes that the broker has refused a message for a queue, which was sent then.
    pub(super) fn refused(&mut self, queue: &str, sent: Instant) {
        if let Some(since) = self.since.get(queue) {
            self.is_stale |= sent.duration_since(*since) >= self.patience;
        } else {
            self.since.insert(queue.into(), sent);
        }
    }

    /// Returns whether another channel should be tried.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Begins again with a new channel.
    pub(super) fn renewed(&mut self) {
        *self = Self::new(self.patience);
    }
}

#[cfg(test)]
#[path = "refusals_test.rs"]
mod test;
