//! Commits on their way, and what may happen only once they are written.

use warren_broker::{Publication, Published};
use warren_engine::Programs;
use warren_model::{InstanceId, Partition};
use warren_service::traces::Span;
use warren_store::{Commit, OutboxEntry, OutboxRow};

use super::{Effect, Owner, Ticket, batch::Work, traces::nanoseconds};

/// What waits for a commit.
#[derive(Debug)]
pub(super) struct Flight {
    number: u64,
    entries: Vec<OutboxEntry>,
    tracked: Vec<(usize, Publication)>,
    answers: Vec<Publication>,
    touched: Vec<InstanceId>,
    /// What it has taken from other partitions.
    received: Vec<(Partition, u64)>,
    /// What ends with it.
    spans: Vec<Span>,
}

impl Flight {
    /// Returns the flight of a commit that marks the instances of a batch: nothing waits for it but that batch.
    pub(super) fn of_marks(number: u64) -> Self {
        let (entries, tracked, answers, touched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { number, entries, tracked, answers, touched, received: Vec::new(), spans: Vec::new() }
    }
}

impl<P: Programs> Owner<P> {
    /// Returns an empty commit with the number that it gets if it is written.
    pub(super) fn begin_commit(&self) -> Commit {
        Commit::new(self.me, self.epoch, self.number + 1)
    }

    /// Sends the commit of a batch on its way. A batch that changes nothing has none, but still waits its turn.
    pub(super) fn launch(&mut self, work: Work, tag: Option<u64>, effects: &mut Vec<Effect>) {
        let Work { mut commit, entries, tracked, answers, dead, touched, spans, .. } = work;
        self.links.write(&mut commit);
        let received = commit.received.clone();
        if !entries.is_empty() {
            commit.outbox.push(OutboxRow { number: commit.number, entries: entries.clone() });
        }
        self.outbox.write(&mut commit);
        if commit != Commit::new(self.me, self.epoch, self.number + 1) {
            self.number += 1;
            effects.push(Effect::Commit(Box::new(commit)));
        }
        if let Some(tag) = tag
            && let Some(ticket) = self.acks.push(tag, self.number, !dead.is_empty())
        {
            effects.push(Effect::Publish { ticket: Ticket::Dead(ticket), batch: dead.clone() });
            self.outbox.bury(ticket, dead);
        }
        self.flights.push_back(Flight { number: self.number, entries, tracked, answers, touched, received, spans });
        self.land(effects);
    }

    pub(super) fn has_committed(&mut self, number: u64, effects: &mut Vec<Effect>) {
        self.committed = self.committed.max(number);
        self.expiry_written();
        self.land(effects);
    }

    /// Publishes and acknowledges what belongs to commits that are written.
    fn land(&mut self, effects: &mut Vec<Effect>) {
        while self.flights.front().is_some_and(|flight| flight.number <= self.committed) {
            let Some(flight) = self.flights.pop_front() else { break };
            self.has_taken(flight.received);
            self.outbox.enter(flight.number, &flight.entries);
            if !flight.tracked.is_empty() {
                let batch = self.outbox.add(flight.number, flight.entries, flight.tracked);
                effects.push(Effect::Publish { ticket: Ticket::Commit(flight.number), batch });
            } else if !flight.entries.is_empty() {
                self.outbox.clear(flight.number, &flight.entries, self.now);
            }
            if !flight.answers.is_empty() {
                self.answering += 1;
                effects.push(Effect::Publish { ticket: Ticket::Answers, batch: flight.answers });
            }
            if !flight.spans.is_empty() {
                let end_ns = nanoseconds(self.now);
                effects.push(Effect::Trace(flight.spans.into_iter().map(|span| Span { end_ns, ..span }).collect()));
            }
            let pinned = self.awaited().map(|gathered| gathered.items.iter().map(|item| item.instance().clone()));
            let pinned = pinned.into_iter().flatten().collect();
            self.cache.shrink(&flight.touched, self.committed, &pinned);
        }
        // A batch that waits for what it must read has taken its answers along.
        self.answered.retain(|_, (number, _)| *number > self.committed);
        self.acknowledge(effects);
    }

    fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        if let Some(tag) = self.acks.take(self.committed) {
            effects.push(Effect::Ack(tag));
        }
    }

    pub(super) fn has_published(&mut self, ticket: Ticket, results: &[Published], effects: &mut Vec<Effect>) {
        match ticket {
            Ticket::Commit(number) => self.outbox.settle(number, results, self.now),
            Ticket::Dead(dead) => {
                if self.outbox.settle_dead(dead, results, self.now) {
                    self.acks.dead_confirmed(dead);
                    self.acknowledge(effects);
                }
            }
            Ticket::Redispatch => self.redispatch_published(results),
            Ticket::Answers => self.answering = self.answering.saturating_sub(1),
        }
    }
}
