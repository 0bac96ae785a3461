//! One consumer's channel: what it was given and has not acknowledged.

use std::collections::BTreeMap;

use warren_broker::{Delivery, packing::Tally};

use super::{Holder, Stored};
use crate::time::Time;

/// Names a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChannelId(pub(super) u64);

/// A consumer's channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) queue: String,
    prefetch: usize,
    next_tag: u64,
    pub(crate) holder: Holder,
    /// Delivered and not acknowledged, by tag.
    pub(crate) unacked: BTreeMap<u64, Stored>,
    /// What the consumer holds, or is on the way to it.
    pub(crate) tally: Tally,
    pub(crate) is_cancelled: bool,
    pub(crate) is_closed: bool,
    /// When the last frame from the consumer arrives: frames keep their order.
    pub(crate) frames_until: Time,
    /// Whether the consumer will hear of what has arrived.
    pub(crate) is_announced: bool,
}

impl std::fmt::Display for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl Channel {
    pub(super) fn new(queue: &str, prefetch: usize, holder: Holder) -> Self {
        let tally = match holder {
            Holder::Worker { .. } => Tally::of_work(prefetch),
            Holder::Session { .. } | Holder::Forwarder { .. } => Tally::default(),
        };
        Self {
            queue: queue.into(),
            prefetch,
            next_tag: 1,
            holder,
            unacked: BTreeMap::new(),
            tally,
            is_cancelled: false,
            is_closed: false,
            frames_until: Time::default(),
            is_announced: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        !self.is_cancelled && !self.is_closed && self.unacked.len() < self.prefetch
    }

    pub(super) fn deliver(&mut self, stored: Stored) {
        let tag = self.next_tag;
        self.next_tag += 1;
        let (redelivered, routing_key) = (stored.is_redelivered, stored.routing_key.as_str().into());
        self.tally.add([Delivery { tag, redelivered, routing_key, message: stored.message.clone() }]);
        self.unacked.insert(tag, stored);
    }

    /// Takes what has arrived, part by part, as the real consumer does.
    pub(super) fn take(&mut self, max: usize) -> Vec<Delivery> {
        self.tally.take(max, self.prefetch, self.is_closed || self.is_cancelled)
    }

    pub(super) fn ack(&mut self, tag: u64, multiple: bool) -> Vec<Stored> {
        if multiple {
            let kept = self.unacked.split_off(&tag.saturating_add(1));
            std::mem::replace(&mut self.unacked, kept).into_values().collect()
        } else {
            self.unacked.remove(&tag).into_iter().collect()
        }
    }
}
