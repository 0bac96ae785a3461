//! One consumer's channel: what it was given and has not acknowledged.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::sync::Notify;

use super::queue::Stored;
use crate::Delivery;

/// A consumer's side of the broker.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) queue: String,
    prefetch: usize,
    next_tag: u64,
    /// Not yet acknowledged, by tag.
    pub(super) unacked: BTreeMap<u64, Stored>,
    /// Not yet taken by the consumer.
    inbox: VecDeque<Delivery>,
    /// No more will come.
    pub(super) cancelled: bool,
    /// Wakes the consumer.
    pub(super) wake: Arc<Notify>,
}

impl Channel {
    /// Returns a channel; a prefetch of 0 is no bound, as AMQP has it.
    pub(super) fn new(queue: &str, prefetch: u16) -> Self {
        Self {
            queue: queue.into(),
            prefetch: if prefetch == 0 { usize::MAX } else { prefetch.into() },
            next_tag: 1,
            unacked: BTreeMap::new(),
            inbox: VecDeque::new(),
            cancelled: false,
            wake: Arc::default(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        !self.cancelled && self.unacked.len() < self.prefetch
    }

    pub(super) fn deliver(&mut self, stored: Stored) {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.inbox.push_back(Delivery {
            tag,
            redelivered: stored.returns > 0,
            routing_key: stored.routing_key.as_str().into(),
            message: stored.message.clone(),
        });
        self.unacked.insert(tag, stored);
        self.wake.notify_one();
    }

    /// Takes what has arrived; `None` if nothing has and nothing will.
    pub(super) fn take(&mut self, max: usize) -> Option<Vec<Delivery>> {
        let taken: Vec<Delivery> = self.inbox.drain(..max.min(self.inbox.len())).collect();
        if taken.is_empty() && self.cancelled { None } else { Some(taken) }
    }

    pub(super) fn cancel(&mut self) {
        self.cancelled = true;
        self.wake.notify_one();
    }

    pub(super) fn ack(&mut self, tag: u64, multiple: bool) {
        if multiple {
            self.unacked = self.unacked.split_off(&tag.saturating_add(1));
        } else {
            self.unacked.remove(&tag);
        }
    }
}
