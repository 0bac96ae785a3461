//! What has had its time: events that nobody has come for, answers that nobody asks for again, clients that have left.
//!
//! No batch begins between the reading of what has expired and the commit that moves it to the dead queue: else an event
//! could go there and to an instance that is started meanwhile.

use jiff::SignedDuration;
use warren_engine::Programs;
use warren_model::InboxMessage;
use warren_store::Expired;

use super::{Effect, Owner, batch::Work};

/// The pause before the next part of a backlog.
const AGAIN: SignedDuration = SignedDuration::from_millis(100);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Idle,
    Reading,
    /// The commit with this number is on its way.
    Writing(u64),
}

impl<P: Programs> Owner<P> {
    /// Asks for what has expired, if it is time.
    pub(super) fn expire(&mut self, effects: &mut Vec<Effect>) {
        if self.now < self.next_expiry || self.draining || self.awaited().is_some() || self.expiry != Expiry::Idle {
            return;
        }
        self.expiry = Expiry::Reading;
        self.next_expiry = self.now + self.settings.expiry_interval;
        self.waiters.forget_old(self.now);
        let (answered_before, now) = (self.now - self.settings.duplicate_window, self.now);
        effects.push(Effect::Expire { answered_before, now });
    }

    /// Moves events that nobody has come for to the dead queue.
    pub(super) fn expired(&mut self, expired: Expired, effects: &mut Vec<Effect>) {
        self.expiry = Expiry::Idle;
        if expired.has_more {
            self.next_expiry = self.now + AGAIN;
        }
        if expired.pending.is_empty() {
            return;
        }
        let mut work = Work::new(self.begin_commit());
        for row in expired.pending {
            // Every commit that was asked for before is written by now, so what is cached is in the store as well.
            self.cache.remove(&row.instance);
            work.commit.pending_done.push((row.instance.clone(), row.position));
            if let InboxMessage::Raise(event) = row.message {
                let reason = format!("nobody has started instance {} before its event expired", row.instance);
                self.give_up(row.instance, event, ("expired", reason), &mut work);
            }
        }
        self.launch(work, None, effects);
        self.expiry = Expiry::Writing(self.number);
    }

    /// Notes that commits are written.
    pub(super) fn expiry_written(&mut self) {
        if matches!(self.expiry, Expiry::Writing(number) if number <= self.committed) {
            self.expiry = Expiry::Idle;
        }
    }
}
