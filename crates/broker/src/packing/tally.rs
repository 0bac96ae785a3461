//! Which deliveries are parts of which: pure, and shared with the simulation.
//!
//! Whoever consumes is handed single deliveries with tags of their own, rising by one; a pack is acknowledged once all of
//! its parts are, and given back once all are done with and some were given back.

use std::collections::{BTreeSet, VecDeque};

use crate::{Delivery, Message, codec::pack};

/// What the broker is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Acknowledge the delivery of this tag or, with `multiple`, every one up to it.
    Ack {
        /// The broker's tag.
        tag: u64,
        /// Whether with all before it.
        multiple: bool,
    },
    /// Give the delivery of this tag back.
    Requeue(u64),
}

/// The deliveries of one consumer that are not done with.
#[derive(Debug, Default)]
pub struct Tally {
    /// In order of both kinds of tags.
    open: VecDeque<Open>,
    /// The last tag that was given.
    last: u64,
    /// How many parts are not done with.
    held: usize,
    /// Those of them that were taken apart and not handed on.
    parts: VecDeque<Delivery>,
}

/// A delivery of the broker's.
#[derive(Debug)]
struct Open {
    /// The broker's tag.
    tag: u64,
    /// The tags of its parts.
    first: u64,
    last: u64,
    /// Those of them that are done with, while others are not.
    done: BTreeSet<u64>,
    /// Whether one of them was given back.
    is_returned: bool,
}

impl Tally {
    /// Returns what may be handed on of `waiting`, part by part, at most `max`: no more than the prefetch has room for, which
    /// bounds parts here as it bounds messages at the broker. After the end that is all there is: nobody waits for it any
    /// more.
    pub fn take(
        &mut self,
        waiting: &mut VecDeque<Delivery>,
        max: usize,
        prefetch: usize,
        has_ended: bool,
    ) -> Vec<Delivery> {
        let handed_on = self.held - self.parts.len();
        let room = if has_ended { max } else { max.min(prefetch.saturating_sub(handed_on)) };
        while self.parts.len() < room
            && let Some(delivery) = waiting.pop_front()
        {
            let parts = self.take_apart(delivery);
            self.parts.extend(parts);
        }
        self.parts.drain(..room.min(self.parts.len())).collect()
    }

    /// Returns whether parts were taken apart and not handed on.
    pub fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Returns the parts of a delivery as deliveries; one that is no pack has one part.
    pub fn take_apart(&mut self, delivery: Delivery) -> Vec<Delivery> {
        let Delivery { tag, redelivered, routing_key, message } = delivery;
        let parts = pack::unpack(message);
        let first = self.last + 1;
        let whole = |(at, message): (u64, Message)| Delivery {
            tag: first + at,
            redelivered,
            routing_key: routing_key.clone(),
            message,
        };
        self.held += parts.len();
        self.last += parts.len() as u64;
        self.open.push_back(Open { tag, first, last: self.last, done: BTreeSet::new(), is_returned: false });
        (0..).zip(parts).map(whole).collect()
    }

    /// Returns how many parts are not done with.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Notes that a part or, with `multiple`, every one up to it is acknowledged; returns what the broker is told, in order.
    pub fn ack(&mut self, tag: u64, multiple: bool) -> Vec<Word> {
        if !multiple {
            return self.done(tag, false).into_iter().collect();
        }
        let mut words = Vec::new();
        let (mut up_to, mut count) = (0, 0);
        while let Some(open) = self.open.pop_front_if(|open| open.is_done_up_to(tag)) {
            self.held -= open.left();
            if open.is_returned {
                words.push(Word::Requeue(open.tag)); // before an acknowledgement reaches past it
            } else {
                (up_to, count) = (open.tag, count + 1);
            }
        }
        if count > 0 {
            words.push(Word::Ack { tag: up_to, multiple: count > 1 });
        }
        if let Some(open) = self.open.front_mut().filter(|open| open.first <= tag) {
            let before = open.left();
            open.done.extend(open.first..=tag);
            self.held -= before - open.left();
        }
        words
    }

    /// Notes that a part is given back; returns what the broker is told. A pack comes again as a whole.
    pub fn requeue(&mut self, tag: u64) -> Option<Word> {
        self.done(tag, true)
    }

    fn done(&mut self, tag: u64, is_returned: bool) -> Option<Word> {
        let at = self.open.partition_point(|open| open.last < tag);
        let open = self.open.get_mut(at).filter(|open| open.first <= tag)?;
        if !open.done.insert(tag) {
            return None;
        }
        self.held -= 1;
        open.is_returned |= is_returned;
        if open.left() > 0 {
            return None;
        }
        let open = self.open.remove(at)?;
        Some(if open.is_returned { Word::Requeue(open.tag) } else { Word::Ack { tag: open.tag, multiple: false } })
    }
}

impl Open {
    /// Returns whether nothing of it is left once every part up to `tag` is done with.
    fn is_done_up_to(&self, tag: u64) -> bool {
        self.last <= tag || (self.first <= tag && self.done.range(tag + 1..).count() as u64 == self.last - tag)
    }

    fn left(&self) -> usize {
        usize::try_from(self.last + 1 - self.first).unwrap_or(usize::MAX) - self.done.len()
    }
}

#[cfg(test)]
#[path = "tally_test.rs"]
mod test;
