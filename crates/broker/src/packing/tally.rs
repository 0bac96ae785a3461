//! Which deliveries are parts of which: pure, and shared with the simulation.
//!
//! Whoever consumes is handed single deliveries with tags of their own, rising by one; a pack is acknowledged once all of
//! its parts are, and given back once all are done with and some were given back.

use std::collections::{BTreeSet, VecDeque};

use super::returns::Returns;
use crate::{
    Delivery, Message,
    codec::{came_again, pack},
};

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
    pub(super) open: VecDeque<Open>,
    /// The last tag that was given.
    last: u64,
    /// How many parts are not done with.
    held: usize,
    /// What has come and was not taken apart.
    pub(super) waiting: VecDeque<Delivery>,
    /// Parts that were taken apart and not handed on, in order.
    pub(super) parts: VecDeque<Delivery>,
    /// Of a queue of work items: what goes back to it.
    pub(super) returns: Option<Returns>,
}

/// A delivery of the broker's.
#[derive(Debug)]
pub(super) struct Open {
    /// The broker's tag.
    pub(super) tag: u64,
    /// The tags of its parts.
    pub(super) first: u64,
    last: u64,
    /// Those of them that are done with, while others are not.
    done: BTreeSet<u64>,
    /// Whether one of them was given back, so that all of it is.
    is_returned: bool,
    /// A pack of work items as it came: each of them may have to go back.
    pub(super) pack: Option<Delivery>,
    /// Whether one of them went back by itself.
    pub(super) has_returns: bool,
}

impl Tally {
    /// Takes in what has come.
    pub fn add(&mut self, deliveries: impl IntoIterator<Item = Delivery>) {
        self.waiting.extend(deliveries);
    }

    /// Returns what may be handed on, part by part, at most `max`: no more than the prefetch has room for, which bounds parts
    /// here as it bounds messages at the broker. After the end that is all there is, as nobody waits for it any more; but
    /// work items that nobody has room for are better off elsewhere.
    pub fn take(&mut self, max: usize, prefetch: usize, has_ended: bool) -> Vec<Delivery> {
        let is_all = has_ended && self.returns.is_none();
        let room = if is_all { max } else { max.min(prefetch.saturating_sub(self.handed_on())) };
        while self.parts.len() < room
            && let Some(delivery) = self.waiting.pop_front()
        {
            let parts = self.take_apart(delivery);
            self.parts.extend(parts);
        }
        let taken: Vec<Delivery> = self.parts.drain(..room.min(self.parts.len())).collect();
        if let Some(returns) = &mut self.returns {
            returns.note_handed_on(taken.len());
        }
        taken
    }

    /// Returns whether something has come that was not handed on.
    pub fn has_more(&self) -> bool {
        !self.waiting.is_empty() || !self.parts.is_empty()
    }

    /// Returns the parts of a delivery as deliveries; one that is no pack has one part.
    pub fn take_apart(&mut self, delivery: Delivery) -> Vec<Delivery> {
        let is_work = self.returns.is_some();
        let pack = (is_work && pack::is_pack(&delivery.message)).then(|| delivery.clone());
        let Delivery { tag, redelivered, routing_key, message } = delivery;
        let parts = pack::unpack(message);
        let first = self.last + 1;
        let whole = |(at, message): (u64, Message)| Delivery {
            tag: first + at,
            redelivered: redelivered || (is_work && came_again(&message)),
            routing_key: routing_key.clone(),
            message,
        };
        self.held += parts.len();
        self.last += parts.len() as u64;
        let (done, last) = (BTreeSet::new(), self.last);
        self.open.push_back(Open { tag, first, last, done, is_returned: false, pack, has_returns: false });
        (0..).zip(parts).map(whole).collect()
    }

    /// Returns how many parts were handed on and are not done with.
    pub fn handed_on(&self) -> usize {
        self.held - self.parts.len() - self.returns.as_ref().map_or(0, Returns::under_way)
    }

    /// Returns how many parts are not done with.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Notes that a part or, with `multiple`, every one up to it is acknowledged; returns what the broker is told, in order.
    pub fn ack(&mut self, tag: u64, multiple: bool) -> Vec<Word> {
        let mut words = match multiple {
            false => self.done(tag, false).into_iter().collect(),
            true if self.is_all_known_up_to(tag) => self.ack_up_to(tag),
            true => self.ack_those_handed_on(tag),
        };
        words.extend(self.release());
        words
    }

    /// Notes that a part is given back; returns what the broker is told. A pack comes again as a whole.
    pub fn requeue(&mut self, tag: u64) -> Vec<Word> {
        let mut words: Vec<Word> = self.done(tag, true).into_iter().collect();
        words.extend(self.release());
        words
    }

    fn ack_up_to(&mut self, tag: u64) -> Vec<Word> {
        let mut words = Vec::new();
        let (mut up_to, mut count) = (0, 0);
        while let Some(open) = self.open.pop_front_if(|open| open.is_done_up_to(tag)) {
            self.held -= open.left();
            if open.is_kept() {
                self.returns.iter_mut().for_each(Returns::forget_kept);
            }
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

    /// The same while a part before it is not handed on, or on its way back: whoever acknowledges does not know of that.
    fn ack_those_handed_on(&mut self, tag: u64) -> Vec<Word> {
        let parts: BTreeSet<u64> = self.parts.iter().map(|part| part.tag).collect();
        let is_here = |part: &u64| !parts.contains(part) && !self.is_under_way(*part);
        let ours = self.open.iter().take_while(|open| open.first <= tag);
        let tags: Vec<u64> = ours.flat_map(|open| open.first..=open.last.min(tag)).filter(is_here).collect();
        tags.into_iter().filter_map(|tag| self.done(tag, false)).collect()
    }

    /// Returns whether every part up to this one was handed on.
    fn is_all_known_up_to(&self, tag: u64) -> bool {
        let first_under_way = self.returns.as_ref().and_then(Returns::first_under_way);
        self.parts.front().is_none_or(|part| part.tag > tag) && first_under_way.is_none_or(|first| first > tag)
    }

    pub(super) fn done(&mut self, tag: u64, is_returned: bool) -> Option<Word> {
        let at = self.open_of(tag)?;
        let open = self.open.get_mut(at)?;
        if !open.done.insert(tag) {
            return None;
        }
        self.held -= 1;
        open.is_returned |= is_returned;
        if open.left() > 0 || self.keep(at) {
            return None;
        }
        let open = self.open.remove(at)?;
        Some(if open.is_returned { Word::Requeue(open.tag) } else { Word::Ack { tag: open.tag, multiple: false } })
    }

    /// Returns the place of the delivery that a part is of.
    pub(super) fn open_of(&self, tag: u64) -> Option<usize> {
        let at = self.open.partition_point(|open| open.last < tag);
        self.open.get(at).filter(|open| open.first <= tag).map(|_| at)
    }
}

impl Open {
    /// Returns whether all of it is done with, and it is only not acknowledged yet.
    pub(super) fn is_kept(&self) -> bool {
        self.left() == 0
    }

    pub(super) fn comes_again(&self) -> bool {
        self.is_returned
    }

    /// Returns whether nothing of it is left once every part up to `tag` is done with.
    fn is_done_up_to(&self, tag: u64) -> bool {
        self.last <= tag || (self.first <= tag && self.done.range(tag + 1..).count() as u64 == self.last - tag)
    }

    /// Returns how many of its parts are not done with.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.last + 1 - self.first).unwrap_or(usize::MAX) - self.done.len()
    }
}

#[cfg(test)]
#[path = "tally_test.rs"]
mod test;
