//! The order between partitions: each sender's messages are taken in the order of its commits, whatever the broker does (H9).

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use warren_model::{Partition, PartitionMessage};
use warren_store::{Aside, Commit, PartitionState};

/// The numbers given to each target and taken from each source, and what arrived ahead of a gap.
#[derive(Debug)]
pub(super) struct Links {
    sent: BTreeMap<Partition, u64>,
    received: BTreeMap<Partition, u64>,
    aside: BTreeMap<(Partition, u64), PartitionMessage>,
    sent_changed: BTreeSet<Partition>,
    received_changed: BTreeSet<Partition>,
    aside_new: BTreeSet<(Partition, u64)>,
    aside_done: Vec<(Partition, u64)>,
}

impl Links {
    pub(super) fn new(state: &PartitionState) -> Self {
        let aside = state.aside.iter().map(|a| ((a.source, a.sequence), a.message.clone())).collect();
        Self {
            sent: state.sent.clone(),
            received: state.received.clone(),
            aside,
            sent_changed: BTreeSet::new(),
            received_changed: BTreeSet::new(),
            aside_new: BTreeSet::new(),
            aside_done: Vec::new(),
        }
    }

    /// Returns the number of the next message to `target`.
    pub(super) fn number(&mut self, target: Partition) -> u64 {
        let last = self.sent.entry(target).or_default();
        *last += 1;
        self.sent_changed.insert(target);
        *last
    }

    /// Lets the next message to `target` have a number behind those that it has taken; returns whether it would have had
    /// one before.
    pub(super) fn skip_to(&mut self, target: Partition, taken: u64) -> bool {
        let last = self.sent.entry(target).or_default();
        let is_behind = *last < taken;
        if is_behind {
            *last = taken;
            self.sent_changed.insert(target);
        }
        is_behind
    }

    /// Returns whether a message was taken before.
    pub(super) fn is_taken(&self, source: Partition, sequence: u64) -> bool {
        self.received.get(&source).is_some_and(|last| sequence <= *last)
    }

    /// Takes a message that arrived; returns those that are next in its source's order: none if it was seen before or is
    /// ahead of a gap, several if it closes one.
    pub(super) fn take(
        &mut self,
        source: Partition,
        sequence: u64,
        message: PartitionMessage,
    ) -> Vec<PartitionMessage> {
        let last = self.received.entry(source).or_default();
        if sequence <= *last {
            return Vec::new();
        }
        if sequence > *last + 1 {
            // The first copy stays: the payload of a later one may have gone with the acknowledgement of the first.
            if let Entry::Vacant(place) = self.aside.entry((source, sequence)) {
                place.insert(message);
                self.aside_new.insert((source, sequence));
            }
            return Vec::new();
        }
        *last = sequence;
        self.received_changed.insert(source);
        let mut next = vec![message];
        while let Some(message) = self.aside.remove(&(source, *last + 1)) {
            *last += 1;
            if !self.aside_new.remove(&(source, *last)) {
                self.aside_done.push((source, *last));
            }
            next.push(message);
        }
        next
    }

    /// Writes into `commit` what has changed since the last one.
    pub(super) fn write(&mut self, commit: &mut Commit) {
        let sent = std::mem::take(&mut self.sent_changed);
        commit.sent = sent.into_iter().map(|target| (target, self.sent[&target])).collect();
        let received = std::mem::take(&mut self.received_changed);
        commit.received = received.into_iter().map(|source| (source, self.received[&source])).collect();
        commit.aside_done = std::mem::take(&mut self.aside_done);
        let aside = std::mem::take(&mut self.aside_new);
        commit.aside = aside
            .into_iter()
            .map(|(source, sequence)| Aside { source, sequence, message: self.aside[&(source, sequence)].clone() })
            .collect();
    }
}

#[cfg(test)]
#[path = "links_test.rs"]
mod test;
