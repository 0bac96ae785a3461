//! What will happen, in the order of its time.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::time::Time;

/// Steps that wait for their time. Of two at the same time the one that was added first comes first.
#[derive(Debug)]
pub(crate) struct Agenda<S> {
    entries: BinaryHeap<Entry<S>>,
    added: u64,
}

#[derive(Debug)]
struct Entry<S> {
    at: Time,
    number: u64,
    step: S,
}

impl<S> Agenda<S> {
    pub(crate) fn new() -> Self {
        Self { entries: BinaryHeap::new(), added: 0 }
    }

    pub(crate) fn add(&mut self, at: Time, step: S) {
        self.added += 1;
        self.entries.push(Entry { at, number: self.added, step });
    }

    pub(crate) fn next(&mut self) -> Option<(Time, S)> {
        self.entries.pop().map(|entry| (entry.at, entry.step))
    }
}

/// The soonest is the greatest: a heap gives the greatest first.
impl<S> Ord for Entry<S> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}
impl<S> PartialOrd for Entry<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<S> PartialEq for Entry<S> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<S> Eq for Entry<S> {}
