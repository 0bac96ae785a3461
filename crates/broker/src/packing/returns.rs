//! Work items that find no slot here go back to their queue, one by one, so that another worker takes them.
//!
//! The broker counts packs, and a worker runs items: so one whose slots are all taken by slow items of a pack may be given
//! more packs. What of them it can't begin is published again as single messages, and counts as done with once these are
//! confirmed: the rest of its pack is never delivered again for its sake. A delivery that has come in vain is acknowledged
//! only when a slot is free for what the broker hands over next, or it would come right back.

use std::{collections::BTreeSet, time::Duration};

use super::{Tally, Word, tally::Open};
use crate::{Delivery, codec::pack};

/// How long work items wait for slots of which hardly any becomes free. A moment when the broker confirms no replies is
/// shorter: they hold their slots till then.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is known of a queue's work items that go back.
#[derive(Debug)]
pub(super) struct Returns {
    prefetch: usize,
    /// Parts that were published and not confirmed yet.
    under_way: BTreeSet<u64>,
    /// While some wait: since when, or since the last look, and how many were handed on since.
    watch: Option<(Duration, usize)>,
    /// How many deliveries are done with and not acknowledged yet.
    kept: usize,
    is_draining: bool,
}

impl Returns {
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    pub(super) fn first_under_way(&self) -> Option<u64> {
        self.under_way.first().copied()
    }

    pub(super) fn forget_kept(&mut self) {
        self.kept -= 1;
    }

    pub(super) fn note_handed_on(&mut self, count: usize) {
        if let Some((_, handed_on)) = &mut self.watch {
            *handed_on += count;
        }
    }
}

impl Tally {
    /// Returns the tally of a queue of work items.
    pub fn of_work(prefetch: usize) -> Self {
        let returns = Returns { prefetch, under_way: BTreeSet::new(), watch: None, kept: 0, is_draining: false };
        let mut tally = Self::default();
        tally.returns = Some(returns);
        tally
    }

    /// Returns what is to go back to its queue now, once what there is room for was taken: what waits although hardly a slot
    /// became free for a while, except as many as did; at the end whatever has no room. Say of each what became of it with
    /// [`Self::went_back`].
    pub fn overdue(&mut self, now: Duration) -> Vec<Delivery> {
        let has_more = self.has_more();
        let handed_on = self.handed_on();
        let Some(returns) = &mut self.returns else { return Vec::new() };
        if returns.is_draining {
            let room = returns.prefetch.saturating_sub(handed_on);
            return self.take_back(room);
        }
        if !has_more {
            returns.watch = None;
            return Vec::new();
        }
        let (since, begun) = *returns.watch.get_or_insert((now, 0));
        if now.saturating_sub(since) < PATIENCE {
            return Vec::new();
        }
        returns.watch = Some((now, 0));
        // As many as there are slots: they turn over, and whoever waits will have one soon.
        if begun >= returns.prefetch { Vec::new() } else { self.take_back(begun) }
    }

    /// Returns when to look for what is [overdue](Self::overdue).
    pub fn look_at(&self) -> Option<Duration> {
        self.returns.as_ref()?.watch.map(|(since, _)| since + PATIENCE)
    }

    /// Notes that no more is consumed; returns what the broker is told.
    pub fn drain(&mut self) -> Vec<Word> {
        if let Some(returns) = &mut self.returns {
            returns.is_draining = true;
        }
        self.release()
    }

    /// Notes that it is consumed again.
    pub fn restart(&mut self) {
        if let Some(returns) = &mut self.returns {
            returns.is_draining = false;
        }
    }

    /// Returns a part of a pack of work items that is to go back by itself; `None` of another delivery, which is
    /// [requeued](Self::requeue).
    pub fn give_back(&mut self, tag: u64) -> Option<Delivery> {
        let at = self.open_of(tag)?;
        let Open { pack, first, .. } = self.open.get(at)?;
        let Delivery { redelivered, routing_key, message, .. } = pack.as_ref()?;
        let part = pack::parts(message).into_iter().nth(usize::try_from(tag - first).ok()?)?;
        let (redelivered, routing_key) = (*redelivered, routing_key.clone());
        self.returns.as_mut()?.under_way.insert(tag);
        Some(Delivery { tag, redelivered, routing_key, message: part })
    }

    /// Notes whether a part is in its queue again. If not, it waits here as before, or comes again with its pack after the
    /// end.
    pub fn went_back(&mut self, part: Delivery, is_confirmed: bool) -> Vec<Word> {
        let Some(returns) = &mut self.returns else { return Vec::new() };
        returns.under_way.remove(&part.tag);
        let is_draining = returns.is_draining;
        if !is_confirmed && !is_draining {
            let at = self.parts.partition_point(|other| other.tag < part.tag);
            self.parts.insert(at, part);
            return Vec::new();
        }
        if let Some(open) = self.open_of(part.tag).and_then(|at| self.open.get_mut(at)) {
            open.has_returns |= is_confirmed;
        }
        let mut words: Vec<Word> = self.done(part.tag, !is_confirmed).into_iter().collect();
        words.extend(self.release());
        words
    }

    /// Returns whether no more is consumed, by the consumer's own wish.
    pub(super) fn is_draining(&self) -> bool {
        self.returns.as_ref().is_some_and(|returns| returns.is_draining)
    }

    pub(super) fn is_under_way(&self, tag: u64) -> bool {
        self.returns.as_ref().is_some_and(|returns| returns.under_way.contains(&tag))
    }

    /// Returns whether a delivery that is done with is kept for now, because the broker would hand over another for which
    /// there is no slot.
    pub(super) fn keep(&mut self, at: usize) -> bool {
        let came_in_vain = self.open.get(at).is_some_and(|open| open.has_returns && !open.comes_again());
        let has_spare = self.has_spare();
        let Some(returns) = self.returns.as_mut().filter(|returns| came_in_vain && !returns.is_draining && !has_spare)
        else {
            return false;
        };
        returns.kept += 1;
        true
    }

    /// Acknowledges what was kept, as slots are free.
    pub(super) fn release(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while self.returns.as_ref().is_some_and(|returns| returns.kept > 0 && (returns.is_draining || self.has_spare()))
            && let Some(at) = self.open.iter().position(Open::is_kept)
            && let Some(open) = self.open.remove(at)
        {
            self.returns.iter_mut().for_each(Returns::forget_kept);
            words.push(Word::Ack { tag: open.tag, multiple: false });
        }
        words
    }

    /// Returns whether the broker may have one delivery back, and still hand over no more than there are slots.
    fn has_spare(&self) -> bool {
        self.open.len() + self.waiting.len() > self.handed_on()
    }

    /// Takes back what waits, all but the first so many.
    fn take_back(&mut self, keep: usize) -> Vec<Delivery> {
        while let Some(delivery) = self.waiting.pop_front() {
            let parts = self.take_apart(delivery);
            self.parts.extend(parts);
        }
        let back: Vec<Delivery> = self.parts.drain(keep.min(self.parts.len())..).collect();
        if let Some(returns) = &mut self.returns {
            returns.under_way.extend(back.iter().map(|part| part.tag));
        }
        back
    }
}

#[cfg(test)]
#[path = "returns_test.rs"]
mod test;
