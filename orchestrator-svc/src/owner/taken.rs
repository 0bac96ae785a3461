//! What this partition has taken from others, as it tells them: once it is committed, and again to who sends it again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use warren_engine::Programs;
use warren_model::{Partition, Timestamp};

use super::{Effect, Owner, Ticket};

/// How long what was taken is gathered before its sender is told: one message then stands for many.
const PAUSE: SignedDuration = SignedDuration::from_millis(200);

/// How far this partition has committed what each source has sent, and who does not know.
#[derive(Debug)]
pub(super) struct Taken {
    committed: BTreeMap<Partition, u64>,
    owed: BTreeSet<Partition>,
    next_at: Timestamp,
}

impl Taken {
    pub(super) fn new(received: BTreeMap<Partition, u64>, now: Timestamp) -> Self {
        Self { committed: received, owed: BTreeSet::new(), next_at: now }
    }

    /// Returns when somebody is to be told.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        (!self.owed.is_empty()).then_some(self.next_at)
    }
}

impl<P: Programs> Owner<P> {
    /// Notes what a commit has taken.
    pub(super) fn has_taken(&mut self, received: Vec<(Partition, u64)>) {
        for (source, up_to) in received {
            self.taken.committed.insert(source, up_to);
            if source == self.me {
                self.outbox.hear(source, up_to, self.now);
            } else {
                self.taken.owed.insert(source);
            }
        }
    }

    /// Notes that a source has sent again what was taken: it does not know.
    pub(super) fn sent_again(&mut self, source: Partition) {
        if source == self.me {
            let up_to = self.taken.committed.get(&source).copied().unwrap_or(0);
            self.outbox.hear(source, up_to, self.now);
        } else {
            self.taken.owed.insert(source);
        }
    }

    /// Tells the sources what was taken, if it is time. Not tracked: who does not hear it sends again, and is told again.
    pub(super) fn tell_taken(&mut self, effects: &mut Vec<Effect>) {
        if self.taken.owed.is_empty() || (self.now < self.taken.next_at && !self.draining) {
            return;
        }
        self.taken.next_at = self.now + PAUSE;
        let owed = std::mem::take(&mut self.taken.owed);
        let up_to = |source: &Partition| self.taken.committed.get(source).copied().unwrap_or(0);
        let batch = owed.iter().map(|source| self.codec.taken(*source, self.me, up_to(source))).collect();
        self.answering += 1;
        effects.push(Effect::Publish { ticket: Ticket::Answers, batch });
    }

    /// Hears from a partition how far it has taken what it was sent.
    pub(super) fn heard(&mut self, target: Partition, up_to: u64) {
        if self.links.skip_to(target, up_to) {
            tracing::error!(
                partition = %self.me, target = %target, up_to,
                "another partition has taken words that were never sent: has the database come back without its last commits?"
            );
        }
        self.outbox.hear(target, up_to, self.now);
    }

    /// Sends words again that nobody has heard of for long, or all that were not heard.
    pub(super) fn send_unheard(&mut self, all: bool, effects: &mut Vec<Effect>) {
        let rows = self.outbox.unheard(self.now, all);
        self.reread(rows, effects);
    }
}
