//! What is committed and not yet confirmed: at least once on the wire, exactly once in the history (H3, H6).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;
use warren_broker::{Publication, Published};
use warren_model::{ExecutionId, InstanceId, Partition, Timestamp};
use warren_store::{Commit, OutboxEntry, OutboxRow};

use super::{
    Effect, Ticket,
    unheard::{Unheard, only_words},
};

/// How long an idle owner leaves a confirmed row in the store.
const FLUSH_AFTER: SignedDuration = SignedDuration::from_millis(500);
/// First and longest pause before what was not confirmed is published again.
const RETRY_FIRST: SignedDuration = SignedDuration::from_millis(100);
const RETRY_LONGEST: SignedDuration = SignedDuration::from_secs(5);

type Execution = (InstanceId, ExecutionId);

/// Batches whose messages are unconfirmed.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<Ticket, Waiting>,
    /// When what waits is published again, if nothing of it is on its way.
    retries: BTreeSet<(Timestamp, Ticket)>,
    /// Rows of which every message is confirmed, …
    done: BTreeSet<u64>,
    /// … and since when the next commit has had something of that to clear.
    done_since: Option<Timestamp>,
    /// Those that wait until an execution that they ended is confirmed, and are narrowed to that; …
    kept: BTreeSet<u64>,
    /// … and whether an execution was confirmed since they were looked at.
    is_freed: bool,
    /// Rows that the next commit narrows to what is left.
    narrowed: BTreeSet<u64>,
    /// Executions that are over, by the commit that ended them: their turns go with its row, …
    over: BTreeMap<u64, Vec<Execution>>,
    /// … once none of them is unconfirmed: how many are, of each execution.
    unconfirmed: HashMap<Execution, usize>,
    /// What can't be published because its turn can't be read: it stays in its row until somebody has mended that.
    unreadable: BTreeMap<u64, Vec<OutboxEntry>>,
    /// Rows of which everything is confirmed, and some words were not heard.
    unheard: Unheard,
    /// What else is in those rows.
    released_later: BTreeMap<u64, Vec<OutboxEntry>>,
    /// Whether the next owner is to find of those rows only what was not heard.
    is_draining: bool,
}

#[derive(Debug)]
struct Waiting {
    entries: Vec<OutboxEntry>,
    /// Each message with the entry that it belongs to.
    messages: Vec<(usize, Publication)>,
    attempts: u32,
}

/// How much of a group of publications was confirmed.
enum Confirmed {
    All(Vec<OutboxEntry>),
    Some,
    None,
}

impl Outbox {
    /// Notes a row that is written.
    pub(super) fn enter(&mut self, number: u64, entries: &[OutboxEntry]) {
        for entry in entries {
            match entry {
                OutboxEntry::Turn(turn) => {
                    *self.unconfirmed.entry((turn.instance.clone(), turn.execution)).or_default() += 1;
                }
                OutboxEntry::Over { instance, execution } => {
                    self.over.entry(number).or_default().push((instance.clone(), *execution));
                }
                OutboxEntry::Message { .. } | OutboxEntry::Dead { .. } => {}
            }
        }
    }

    /// Adds the messages of a row and returns them for publishing.
    pub(super) fn add(
        &mut self,
        number: u64,
        entries: Vec<OutboxEntry>,
        messages: Vec<(usize, Publication)>,
    ) -> Vec<Publication> {
        let batch = messages.iter().map(|(_, publication)| publication.clone()).collect();
        self.waiting.insert(Ticket::Commit(number), Waiting { entries, messages, attempts: 0 });
        batch
    }

    /// Adds messages for the dead queue, which no row holds: their deliveries wait for them instead.
    pub(super) fn bury(&mut self, dead: u64, messages: Vec<Publication>) {
        let messages = messages.into_iter().map(|publication| (0, publication)).collect();
        self.waiting.insert(Ticket::Dead(dead), Waiting { entries: Vec::new(), messages, attempts: 0 });
    }

    /// Notes what became of a commit's messages.
    pub(super) fn settle(&mut self, number: u64, results: &[Published], now: Timestamp) {
        match self.settle_ticket(Ticket::Commit(number), results, now) {
            Confirmed::All(entries) => self.confirmed(number, entries, now),
            Confirmed::Some => drop(self.narrowed.insert(number)),
            Confirmed::None => {}
        }
    }

    /// Notes what became of messages for the dead queue; returns whether all of them are safe.
    pub(super) fn settle_dead(&mut self, dead: u64, results: &[Published], now: Timestamp) -> bool {
        matches!(self.settle_ticket(Ticket::Dead(dead), results, now), Confirmed::All(_))
    }

    /// Keeps the words of a row until they are heard, or lets the next commit clear it.
    fn confirmed(&mut self, number: u64, entries: Vec<OutboxEntry>, now: Timestamp) {
        let (words, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| self.unheard.has(entry));
        if words.is_empty() {
            return self.clear(number, &rest, now);
        }
        // The store's row names them until it goes, so until then their turns may not.
        self.released_later.entry(number).or_default().extend(rest);
        let words = words.iter().map(only_words).collect();
        if let Some((oldest, entries)) = self.unheard.add(number, words, now) {
            tracing::warn!(commit = oldest, "words to a partition that does not take them are left to the broker");
            self.clear(oldest, &entries, now);
        }
        if self.is_draining {
            self.narrow(number, now);
        }
    }

    /// Notes up to where a partition has taken what it was sent.
    pub(super) fn hear(&mut self, target: Partition, up_to: u64, now: Timestamp) {
        for (number, entries) in self.unheard.hear(target, up_to) {
            self.clear(number, &entries, now);
        }
    }

    /// Takes the rows whose words are to be sent again: those that nobody has heard of for long, or all.
    pub(super) fn unheard(&mut self, now: Timestamp, all: bool) -> Vec<(u64, Vec<OutboxEntry>)> {
        let rows = if self.is_draining { Vec::new() } else { self.unheard.again(now, all) };
        for (number, _) in &rows {
            self.narrowed.remove(number); // while it is read nobody knows what it would be narrowed to
        }
        rows
    }

    /// Prepares for the end: the next owner sends again what was not heard, and nothing else of those rows.
    pub(super) fn drain(&mut self, now: Timestamp) {
        self.is_draining = true;
        self.unheard.numbers().collect::<Vec<_>>().into_iter().for_each(|number| self.narrow(number, now));
    }

    fn narrow(&mut self, number: u64, now: Timestamp) {
        self.narrowed.insert(number);
        self.done_since.get_or_insert(now);
    }

    /// Lets the next commit clear a row of which nothing is unconfirmed.
    pub(super) fn clear(&mut self, number: u64, entries: &[OutboxEntry], now: Timestamp) {
        self.release(entries);
        let rest = self.released_later.remove(&number).unwrap_or_default();
        self.release(&rest);
        self.unheard.forget(number);
        self.done.insert(number);
        self.done_since.get_or_insert(now);
        self.narrowed.remove(&number);
    }

    /// Counts the turns of a row that are confirmed.
    fn release(&mut self, entries: &[OutboxEntry]) {
        for entry in entries {
            let OutboxEntry::Turn(turn) = entry else { continue };
            let execution = (turn.instance.clone(), turn.execution);
            match self.unconfirmed.get_mut(&execution) {
                Some(count) if *count > 1 => *count -= 1,
                Some(_) | None => {
                    self.unconfirmed.remove(&execution);
                    self.is_freed |= !self.kept.is_empty();
                }
            }
        }
    }

    /// Keeps what was not confirmed, with a pause before the next try.
    fn settle_ticket(&mut self, ticket: Ticket, results: &[Published], now: Timestamp) -> Confirmed {
        let Some(waiting) = self.waiting.get_mut(&ticket) else { return Confirmed::None };
        let before = waiting.messages.len();
        let mut results = results.iter();
        waiting.messages.retain(|_| results.next() != Some(&Published::Confirmed));
        if waiting.messages.is_empty() {
            return Confirmed::All(self.waiting.remove(&ticket).map_or_else(Vec::new, |waiting| waiting.entries));
        }
        let pause = RETRY_FIRST * (1 << waiting.attempts.min(6));
        waiting.attempts += 1;
        self.retries.insert((now + pause.min(RETRY_LONGEST), ticket));
        if waiting.messages.len() < before { Confirmed::Some } else { Confirmed::None }
    }

    /// Publishes again what has waited long enough.
    pub(super) fn retry(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while self.next_retry().is_some_and(|at| at <= now) {
            let Some((_, ticket)) = self.retries.pop_first() else { break };
            let Some(waiting) = self.waiting.get(&ticket) else { continue };
            let batch = waiting.messages.iter().map(|(_, publication)| publication.clone()).collect();
            effects.push(Effect::Publish { ticket, batch });
        }
    }

    /// Returns when the next retry is due.
    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// Returns when something is to be published again next: what was not confirmed, or what was not heard.
    pub(super) fn next_again(&self) -> Option<Timestamp> {
        let unheard = if self.is_draining { None } else { self.unheard.next_at() };
        self.next_retry().into_iter().chain(unheard).min()
    }

    /// Keeps turns that can't be read in their row, although nothing can be published of them.
    pub(super) fn set_aside(&mut self, number: u64, entries: Vec<OutboxEntry>) {
        self.enter(number, &entries);
        self.unreadable.insert(number, entries);
    }

    /// Writes into `commit` which rows are cleared or narrowed, and which executions nobody needs any more.
    pub(super) fn write(&mut self, commit: &mut Commit) {
        for number in std::mem::take(&mut self.narrowed) {
            let waiting = self.waiting.get(&Ticket::Commit(number));
            let mut entries =
                waiting.map_or_else(|| self.unheard.of(number), |waiting| waiting.remaining(&self.unheard));
            entries.extend(self.unreadable.get(&number).into_iter().flatten().cloned());
            entries.extend(self.over_entries(number));
            commit.outbox.push(OutboxRow { number, entries });
        }
        let kept = if std::mem::take(&mut self.is_freed) { std::mem::take(&mut self.kept) } else { BTreeSet::new() };
        let done = std::mem::take(&mut self.done).into_iter().chain(kept.iter().copied());
        let (ready, wait): (BTreeSet<u64>, BTreeSet<u64>) = done.partition(|number| self.is_free(*number));
        for number in wait.difference(&kept) {
            // Its turns are confirmed, and may go before it does: nobody may look for them.
            let entries = self.unreadable.get(number).into_iter().flatten().cloned().chain(self.over_entries(*number));
            commit.outbox.push(OutboxRow { number: *number, entries: entries.collect() });
        }
        self.kept.extend(wait);
        self.done_since = None;
        for number in ready {
            commit.forget.extend(self.over.remove(&number).into_iter().flatten());
            match self.unreadable.remove(&number) {
                Some(entries) => commit.outbox.push(OutboxRow { number, entries }),
                None => commit.outbox_done.push(number),
            }
        }
    }

    /// Returns whether everything is confirmed of the executions that this commit has ended.
    fn is_free(&self, number: u64) -> bool {
        let mut over = self.over.get(&number).into_iter().flatten();
        over.all(|execution| !self.unconfirmed.contains_key(execution))
    }

    fn over_entries(&self, number: u64) -> impl Iterator<Item = OutboxEntry> {
        self.over
            .get(&number)
            .into_iter()
            .flatten()
            .map(|(instance, execution)| OutboxEntry::Over { instance: instance.clone(), execution: *execution })
    }

    /// Returns when an idle owner should clear confirmed rows.
    pub(super) fn flush_at(&self) -> Option<Timestamp> {
        self.done_since.map(|since| since + FLUSH_AFTER)
    }

    /// Returns whether confirmed rows have waited long enough for a commit to clear them, or can't wait.
    pub(super) fn is_due_for_flush(&self, now: Timestamp, at_once: bool) -> bool {
        self.flush_at().is_some_and(|at| at_once || at <= now)
    }

    /// Returns whether nothing is on its way to the broker and nothing is left to clear: what is unconfirmed was refused.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_narrow = !self.is_draining || self.narrowed.is_empty();
        self.waiting.len() == self.retries.len() && self.done.is_empty() && !self.is_freed && is_narrow
    }

    /// Returns how many groups of messages the broker has not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.waiting.len()
    }

    /// Returns how many rows wait until their words are heard.
    pub(super) fn unheard_rows(&self) -> usize {
        self.unheard.len()
    }

    /// Returns whether every message is confirmed.
    #[cfg(test)]
    pub(super) fn is_confirmed(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns whether the broker has refused messages for the dead queue.
    pub(super) fn has_refused_dead(&self) -> bool {
        self.retries.iter().any(|(_, ticket)| matches!(ticket, Ticket::Dead(_)))
    }
}

impl Waiting {
    /// Returns the entries that still have an unconfirmed message, and of the others those words that were not heard.
    fn remaining(&self, unheard: &Unheard) -> Vec<OutboxEntry> {
        let open: BTreeSet<usize> = self.messages.iter().map(|(entry, _)| *entry).collect();
        let left = |(at, entry): (usize, &OutboxEntry)| match open.contains(&at) {
            true => Some(entry.clone()),
            false => unheard.has(entry).then(|| only_words(entry)),
        };
        self.entries.iter().enumerate().filter_map(left).collect()
    }
}

#[cfg(test)]
#[path = "outbox_test.rs"]
mod test;
