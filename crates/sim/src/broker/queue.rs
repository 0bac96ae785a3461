//! One queue: what is ready, and who consumes it.

use std::collections::{BTreeMap, VecDeque};

use warren_broker::{Message, codec::pack};

use super::ChannelId;
use crate::time::Time;

/// A message at rest.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Its place in the queue.
    pub(crate) position: u64,
    pub(crate) routing_key: String,
    pub(crate) message: Message,
    pub(crate) published_at: Time,
    /// Whether it was delivered before.
    pub(crate) is_redelivered: bool,
}

impl Stored {
    /// Returns the messages that it is: a pack is many.
    pub(crate) fn messages(&self) -> Vec<Message> {
        parts(&self.message)
    }
}

/// Returns the messages that one is: a pack is many.
pub(crate) fn parts(message: &Message) -> Vec<Message> {
    pack::unpack(message.clone())
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) ready: BTreeMap<u64, Stored>,
    next_position: u64,
    /// Who consumes, the next in turn first; with a single active consumer the active one first.
    pub(super) consumers: VecDeque<ChannelId>,
    has_single_active_consumer: bool,
}

impl Queue {
    pub(super) fn new(has_single_active_consumer: bool) -> Self {
        Self { ready: BTreeMap::new(), next_position: 0, consumers: VecDeque::new(), has_single_active_consumer }
    }

    pub(super) fn push(&mut self, routing_key: String, message: Message, published_at: Time) {
        let position = self.next_position;
        self.next_position += 1;
        self.ready.insert(position, Stored { position, routing_key, message, published_at, is_redelivered: false });
    }

    /// Takes a message back, to its old place or to the end.
    pub(super) fn give_back(&mut self, mut stored: Stored, at_the_end: bool) {
        stored.is_redelivered = true;
        if at_the_end {
            stored.position = self.next_position;
            self.next_position += 1;
        }
        self.ready.insert(stored.position, stored);
    }

    /// Returns the consumer that gets the next message, if there is one of each.
    pub(super) fn next_consumer(&mut self, has_room: impl Fn(ChannelId) -> bool) -> Option<ChannelId> {
        if self.ready.is_empty() {
            return None;
        }
        if self.has_single_active_consumer {
            return self.consumers.front().copied().filter(|id| has_room(*id));
        }
        let at = self.consumers.iter().position(|id| has_room(*id))?;
        self.consumers.rotate_left(at);
        let found = self.consumers.pop_front()?;
        self.consumers.push_back(found);
        Some(found)
    }

    pub(super) fn pop(&mut self) -> Option<Stored> {
        self.ready.pop_first().map(|(_, stored)| stored)
    }
}
