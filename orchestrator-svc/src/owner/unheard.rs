//! Words to partitions that the broker has confirmed and that their targets have not said to have taken.
//!
//! A confirm means that the broker has a message, not that anybody will get it: a broker may lose its disk, and a queue
//! be purged. Nobody would send a word again, and everything behind it would wait for ever for its number. So a row of
//! the outbox stays until every word of it was taken, and what nobody has heard of for long is sent again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use warren_model::{Partition, Timestamp};
use warren_store::OutboxEntry;

/// Most rows that wait to be heard. Beyond that the oldest is left to the broker alone: a partition without an owner must
/// not fill the memory of the others.
const ROWS_MAX: usize = 10_000;
/// The pause before a word is sent again: long against a takeover, so that a healthy hub sends none twice. It doubles …
const AGAIN_FIRST: SignedDuration = SignedDuration::from_secs(30);
/// … up to this.
const AGAIN_LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Rows with words that their targets have yet to take.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    /// Up to which number each target has taken what it was sent.
    heard: BTreeMap<Partition, u64>,
    rows: BTreeMap<u64, Row>,
    /// When each row is sent again.
    due: BTreeSet<(Timestamp, u64)>,
    /// How often each row was sent that was sent again.
    attempts: BTreeMap<u64, u32>,
}

#[derive(Debug)]
struct Row {
    /// What has words that were not heard.
    entries: Vec<OutboxEntry>,
    /// The last number for each target.
    waits: BTreeMap<Partition, u64>,
    again_at: Timestamp,
}

/// Returns where the words of an entry go, with their numbers.
fn words(entry: &OutboxEntry) -> Vec<(Partition, u64)> {
    match entry {
        OutboxEntry::Turn(turn) => turn.sequences.clone(),
        OutboxEntry::Message { target, sequence, .. } => vec![(*target, *sequence)],
        OutboxEntry::Dead { .. } | OutboxEntry::Over { .. } => Vec::new(),
    }
}

/// Returns the entry without what is not word to a partition.
pub(super) fn only_words(entry: &OutboxEntry) -> OutboxEntry {
    let mut entry = entry.clone();
    if let OutboxEntry::Turn(turn) = &mut entry {
        turn.only_words = true;
    }
    entry
}

impl Unheard {
    /// Returns whether an entry has a word that was not heard.
    pub(super) fn has(&self, entry: &OutboxEntry) -> bool {
        !words(entry).iter().all(|word| self.is_heard(word))
    }

    fn is_heard(&self, (target, sequence): &(Partition, u64)) -> bool {
        self.heard.get(target).is_some_and(|up_to| sequence <= up_to)
    }

    /// Keeps what was confirmed and not heard; returns the oldest row if there are too many.
    pub(super) fn add(
        &mut self,
        number: u64,
        entries: Vec<OutboxEntry>,
        now: Timestamp,
    ) -> Option<(u64, Vec<OutboxEntry>)> {
        let mut waits: BTreeMap<Partition, u64> = BTreeMap::new();
        for word in entries.iter().flat_map(words).filter(|word| !self.is_heard(word)) {
            let last = waits.entry(word.0).or_default();
            *last = word.1.max(*last);
        }
        let attempts = self.attempts.get(&number).copied().unwrap_or(0);
        let again_at = now + (AGAIN_FIRST * (1 << attempts.min(10))).min(AGAIN_LONGEST);
        self.due.insert((again_at, number));
        self.rows.insert(number, Row { entries, waits, again_at });
        if self.rows.len() <= ROWS_MAX {
            return None;
        }
        let oldest = *self.rows.first_key_value()?.0;
        self.take(oldest).map(|row| (oldest, row.entries))
    }

    fn take(&mut self, number: u64) -> Option<Row> {
        let row = self.rows.remove(&number)?;
        self.due.remove(&(row.again_at, number));
        Some(row)
    }

    /// Notes up to where a target has taken its words; returns the rows of which every word is heard.
    pub(super) fn hear(&mut self, target: Partition, up_to: u64) -> Vec<(u64, Vec<OutboxEntry>)> {
        let heard = self.heard.entry(target).or_default();
        *heard = up_to.max(*heard);
        let mut done = Vec::new();
        for (number, row) in &mut self.rows {
            match row.waits.get(&target) {
                Some(last) if *last > up_to => break, // and so are those of later rows
                Some(_) => drop(row.waits.remove(&target)),
                None => {}
            }
            if row.waits.is_empty() {
                done.push(*number);
            }
        }
        let row = |number| self.take(number).map(|row| (number, row.entries));
        done.into_iter().filter_map(row).collect()
    }

    /// Forgets that a row was ever sent again.
    pub(super) fn forget(&mut self, number: u64) {
        self.attempts.remove(&number);
    }

    /// Takes the rows that nobody has heard of for long, or all of them.
    pub(super) fn again(&mut self, now: Timestamp, all: bool) -> Vec<(u64, Vec<OutboxEntry>)> {
        let is_due = |(at, _): &&(Timestamp, u64)| all || *at <= now;
        let due: Vec<u64> = self.due.iter().take_while(is_due).map(|(_, number)| *number).collect();
        let mut again = Vec::new();
        for number in due {
            *self.attempts.entry(number).or_default() += 1;
            again.extend(self.take(number).map(|row| (number, row.entries)));
        }
        again
    }

    /// Returns what a row has that was not heard.
    pub(super) fn of(&self, number: u64) -> Vec<OutboxEntry> {
        self.rows.get(&number).map_or_else(Vec::new, |row| row.entries.clone())
    }

    /// Returns how many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the numbers of all rows.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.rows.keys().copied()
    }

    /// Returns when the next row is sent again.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
#[path = "unheard_test.rs"]
mod test;
