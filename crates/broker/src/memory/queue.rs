//! One queue: what is ready, and who consumes it.

use std::collections::{BTreeMap, VecDeque};

use crate::{Arguments, HeaderValue, Message};

/// Names a channel.
pub(super) type ChannelId = u64;

/// A message at rest.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Its place in the queue, to which it returns when it is given back.
    pub(super) position: u64,
    pub(super) routing_key: String,
    pub(super) message: Message,
    /// How often it was given back.
    pub(super) returns: u32,
}

/// A queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    arguments: Arguments,
    ready: BTreeMap<u64, Stored>,
    next_position: u64,
    /// Who consumes, the next in turn first; with a single active consumer the active one first.
    pub(super) consumers: VecDeque<ChannelId>,
}

impl Queue {
    pub(super) fn new(arguments: Arguments) -> Self {
        Self { arguments, ..Self::default() }
    }

    /// Puts a message at the end.
    pub(super) fn push(&mut self, routing_key: String, message: Message) {
        let position = self.next_position;
        self.next_position += 1;
        self.ready.insert(position, Stored { position, routing_key, message, returns: 0 });
    }

    /// Takes a message back to its old place, or returns it if it was given back too often.
    pub(super) fn give_back(&mut self, mut stored: Stored) -> Option<Stored> {
        stored.returns += 1;
        if self.delivery_limit().is_some_and(|limit| i64::from(stored.returns) > limit) {
            return Some(stored);
        }
        self.ready.insert(stored.position, stored);
        None
    }

    /// Returns the consumer that gets the next message, if there is one of each; `free` says who has room.
    pub(super) fn next_consumer(&mut self, free: impl Fn(ChannelId) -> bool) -> Option<ChannelId> {
        if self.ready.is_empty() {
            return None;
        }
        if self.has_single_active_consumer() {
            return self.consumers.front().copied().filter(|id| free(*id));
        }
        let at = self.consumers.iter().position(|id| free(*id))?;
        self.consumers.rotate_left(at);
        let found = self.consumers.pop_front()?;
        self.consumers.push_back(found);
        Some(found)
    }

    /// Takes the first message.
    pub(super) fn pop(&mut self) -> Option<Stored> {
        self.ready.pop_first().map(|(_, stored)| stored)
    }

    /// Returns what is ready, in order.
    pub(super) fn ready(&self) -> impl ExactSizeIterator<Item = &Stored> {
        self.ready.values()
    }

    /// Returns where dead messages go.
    pub(super) fn dead_letter_queue(&self) -> Option<String> {
        match self.arguments.get("x-dead-letter-routing-key")? {
            HeaderValue::Text(queue) => Some(queue.to_string()),
            HeaderValue::Number(_) | HeaderValue::Bool(_) => None,
        }
    }

    fn delivery_limit(&self) -> Option<i64> {
        match self.arguments.get("x-delivery-limit")? {
            HeaderValue::Number(limit) => Some(*limit),
            HeaderValue::Text(_) | HeaderValue::Bool(_) => None,
        }
    }

    fn has_single_active_consumer(&self) -> bool {
        self.arguments.get("x-single-active-consumer") == Some(&HeaderValue::Bool(true))
    }
}
