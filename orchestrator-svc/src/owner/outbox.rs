//! What is committed and not yet confirmed: at least once on the wire, exactly once in the history (H3, H6).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use warren_broker::{Publication, Published};
use warren_model::{ExecutionId, InstanceId, Timestamp};
use warren_store::{Commit, OutboxEntry, OutboxRow};

use super::{Effect, Ticket};

/// How long an idle owner leaves a confirmed row in the store.
const FLUSH_AFTER: SignedDuration = SignedDuration::from_millis(500);
/// First and longest pause before what was not confirmed is published again.
const RETRY_FIRST: SignedDuration = SignedDuration::from_millis(100);
const RETRY_LONGEST: SignedDuration = SignedDuration::from_secs(5);

/// Batches whose messages are unconfirmed.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<Ticket, Waiting>,
    /// Rows that the next commit clears, …
    done: Vec<u64>,
    /// … and since when the oldest has waited for it.
    done_since: Option<Timestamp>,
    /// Rows that the next commit narrows to what is left.
    narrowed: Vec<u64>,
    /// Executions that are over, with the commit that ended them.
    retired: Vec<(u64, InstanceId, ExecutionId)>,
}

#[derive(Debug)]
struct Waiting {
    entries: Vec<OutboxEntry>,
    /// Each message with the entry that it belongs to.
    messages: Vec<(usize, Publication)>,
    attempts: u32,
    /// Set while nothing of it is on its way.
    retry_at: Option<Timestamp>,
}

impl Outbox {
    /// Adds the messages of a written commit and returns them for publishing.
    pub(super) fn add(
        &mut self,
        number: u64,
        entries: Vec<OutboxEntry>,
        messages: Vec<(usize, Publication)>,
    ) -> Vec<Publication> {
        let batch = messages.iter().map(|(_, publication)| publication.clone()).collect();
        let waiting = Waiting { entries, messages, attempts: 0, retry_at: None };
        self.waiting.insert(Ticket::Commit(number), waiting);
        batch
    }

    /// Adds messages for the dead queue, which no row holds: their deliveries wait for them instead.
    pub(super) fn bury(&mut self, dead: u64, messages: Vec<Publication>) {
        let messages = messages.into_iter().map(|publication| (0, publication)).collect();
        let waiting = Waiting { entries: Vec::new(), messages, attempts: 0, retry_at: None };
        self.waiting.insert(Ticket::Dead(dead), waiting);
    }

    /// Notes what became of a commit's messages.
    pub(super) fn settle(&mut self, number: u64, results: &[Published], now: Timestamp) {
        if self.settle_ticket(Ticket::Commit(number), results, now) {
            self.clear(number, now);
        } else if self.waiting.contains_key(&Ticket::Commit(number)) && !self.narrowed.contains(&number) {
            self.narrowed.push(number);
        }
    }

    /// Notes what became of messages for the dead queue; returns whether all of them are safe.
    pub(super) fn settle_dead(&mut self, dead: u64, results: &[Published], now: Timestamp) -> bool {
        self.settle_ticket(Ticket::Dead(dead), results, now)
    }

    /// Lets the next commit clear a row.
    pub(super) fn clear(&mut self, number: u64, now: Timestamp) {
        self.done.push(number);
        self.done_since.get_or_insert(now);
        self.narrowed.retain(|narrowed| *narrowed != number);
    }

    /// Keeps what was not confirmed, with a pause before the next try; returns whether nothing is left.
    fn settle_ticket(&mut self, ticket: Ticket, results: &[Published], now: Timestamp) -> bool {
        let Some(waiting) = self.waiting.get_mut(&ticket) else { return false };
        let mut results = results.iter();
        waiting.messages.retain(|_| results.next() != Some(&Published::Confirmed));
        if waiting.messages.is_empty() {
            self.waiting.remove(&ticket);
            return true;
        }
        let pause = RETRY_FIRST * (1 << waiting.attempts.min(6));
        waiting.retry_at = Some(now + pause.min(RETRY_LONGEST));
        waiting.attempts += 1;
        false
    }

    /// Publishes again what has waited long enough.
    pub(super) fn retry(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for (ticket, waiting) in &mut self.waiting {
            if waiting.retry_at.is_some_and(|at| at <= now) {
                waiting.retry_at = None;
                let batch = waiting.messages.iter().map(|(_, publication)| publication.clone()).collect();
                effects.push(Effect::Publish { ticket: *ticket, batch });
            }
        }
    }

    /// Returns when the next retry is due.
    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        self.waiting.values().filter_map(|waiting| waiting.retry_at).min()
    }

    /// Remembers executions that commit `number` ends.
    pub(super) fn retire(&mut self, number: u64, over: Vec<(InstanceId, ExecutionId)>) {
        self.retired.extend(over.into_iter().map(|(instance, execution)| (number, instance, execution)));
    }

    /// Writes into `commit` which rows are cleared or narrowed, and which executions nobody needs any more.
    pub(super) fn write(&mut self, commit: &mut Commit, committed: u64) {
        commit.outbox_done = std::mem::take(&mut self.done);
        self.done_since = None;
        for number in std::mem::take(&mut self.narrowed) {
            if let Some(waiting) = self.waiting.get(&Ticket::Commit(number)) {
                commit.outbox.push(OutboxRow { number, entries: waiting.remaining() });
            }
        }
        let oldest = self.waiting.keys().find_map(|ticket| match ticket {
            Ticket::Commit(number) => Some(*number),
            Ticket::Dead(_) | Ticket::Answers => None,
        });
        let safe = oldest.map_or(committed, |oldest| committed.min(oldest - 1));
        let (over, retired) = std::mem::take(&mut self.retired).into_iter().partition(|(number, ..)| *number <= safe);
        self.retired = retired;
        let over: Vec<_> = over;
        commit.forget = over.into_iter().map(|(_, instance, execution)| (instance, execution)).collect();
    }

    /// Returns when an idle owner should clear confirmed rows.
    pub(super) fn flush_at(&self) -> Option<Timestamp> {
        self.done_since.map(|since| since + FLUSH_AFTER)
    }

    /// Returns whether confirmed rows have waited long enough for a commit to clear them, or can't wait.
    pub(super) fn is_due_for_flush(&self, now: Timestamp, at_once: bool) -> bool {
        self.flush_at().is_some_and(|at| at_once || at <= now)
    }

    /// Returns whether nothing is unconfirmed and nothing is left to clear.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.done.is_empty()
    }
}

impl Waiting {
    /// Returns the entries that still have an unconfirmed message.
    fn remaining(&self) -> Vec<OutboxEntry> {
        let is_open = |at: usize| self.messages.iter().any(|(entry, _)| *entry == at);
        self.entries.iter().enumerate().filter(|(at, _)| is_open(*at)).map(|(_, entry)| entry.clone()).collect()
    }
}
