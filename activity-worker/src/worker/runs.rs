//! What runs for long: its owner is told, and told again, until then the work item is held; after a while it is not (H7).
//!
//! ```text
//!  running ──a second, or at once if it has limits──▶ said ──owner has written it down──▶ held ──after `hold`──▶ ack
//!     │ ▲                                              │ ▲                                  │
//!     │ └── progress, every third of the lease ────────┘ └──── lost channel: said anew ─────┘
//!     ├── something else completes it ──▶ handing over ──held──▶ ack
//!     └── nobody waits for it ──▶ ended early ──▶ ack
//! ```

use std::time::Duration;

use warren::CancelReason;
use warren_broker::{Beat, OwnerWord, codec::heartbeat};
use warren_model::Payload;

use super::{
    Effect, ItemId, Worker,
    acks::Acks,
    item::{Item, Run, Stage},
};

/// What has run for so long is worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(1);
/// A word that nobody has answered is said again after so long.
const SAY_AGAIN: Duration = Duration::from_secs(1);
/// How often the runs are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How many words fit into a lease: two may be lost.
const WORDS_PER_LEASE: u32 = 3;

impl Worker {
    /// Says of a run what its call wants said at once.
    pub(super) fn has_begun(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        if self.run_of(id).is_some_and(|run| !run.work.timeouts.is_none()) {
            self.say(id, false, effects);
        }
    }

    /// Says what is to be said again, and lets go of work items that are held for long.
    pub(super) fn look_after_runs(&mut self, effects: &mut Vec<Effect>) {
        if self.now < self.looked_at + LOOK {
            return;
        }
        self.looked_at = self.now;
        let (now, lease, hold) = (self.now, self.limits.lease, self.limits.hold);
        let (mut quiet, mut acks) = (Vec::new(), Acks::default());
        for (id, item) in &mut self.items {
            let (run, hands_over) = match &mut item.stage {
                Stage::Running(run) => (run, false),
                Stage::HandingOver(run) => (run, true),
                Stage::Waiting(_) | Stage::Asking(_) | Stage::Replying(_) | Stage::Burying(_) => continue,
            };
            let next = match (run.said_at, run.is_held && !hands_over) {
                (None, _) => run.began_at + WORTH_A_WORD,
                (Some(said), false) => said + SAY_AGAIN,
                (Some(said), true) => said + lease / WORDS_PER_LEASE,
            };
            if next <= now && !run.is_cancelled {
                quiet.push(*id);
            }
            let is_old = run.is_held && !hands_over && run.began_at + hold <= now;
            let lets_go = is_old && self.queues.get(item.queue).is_some_and(|queue| queue.lets_go());
            if lets_go && !item.deliveries.is_empty() {
                acks.add(&item.deliveries);
                item.deliveries.clear();
                run.is_released = true;
                // Nothing else keeps the pack that it may have come in, from here on for hours.
                run.work.detach();
                self.tokens.remove(&run.work.token);
                self.tokens.insert(run.work.token.clone(), *id);
            }
        }
        quiet.into_iter().for_each(|id| self.say(id, true, effects));
        self.acknowledge(&acks, effects);
    }

    /// An activity says that it is at it, and how far it has come.
    pub(super) fn beat(&mut self, id: ItemId, progress: Payload, effects: &mut Vec<Effect>) {
        let Some(run) = self.run_of(id) else { return };
        (run.progress, run.is_unsaid) = (Some(progress), true);
        if !run.is_cancelled {
            self.say(id, false, effects);
        }
    }

    /// Hears what an owner says of what runs.
    pub(super) fn told(&mut self, word: OwnerWord, effects: &mut Vec<Effect>) {
        match word {
            OwnerWord::Permit { question, permit, progress } => {
                self.answered(&question, permit, progress, effects);
            }
            OwnerWord::Held { token, id } => self.note_held(&token, id.as_deref(), effects),
            OwnerWord::Cancel { token } => self.cancelled(&token, effects),
        }
    }

    fn note_held(&mut self, token: &str, word: Option<&str>, effects: &mut Vec<Effect>) {
        let Some((id, item)) = self.by_token(token) else { return };
        match &mut item.stage {
            Stage::Running(run) => (run.is_held, run.is_unsaid) = (true, false),
            // An answer to an earlier word says only that it was known to run.
            Stage::HandingOver(run) if run.word.as_deref() == word => self.let_go(id, effects),
            Stage::HandingOver(_) | Stage::Waiting(_) | Stage::Asking(_) | Stage::Replying(_) | Stage::Burying(_) => {}
        }
    }

    fn cancelled(&mut self, token: &str, effects: &mut Vec<Effect>) {
        let Some((id, item)) = self.by_token(token) else { return };
        match &mut item.stage {
            Stage::Running(run) if !run.is_cancelled => {
                tracing::info!(token, activity = &*run.work.activity, "activity is cancelled, as its owner says");
                run.is_cancelled = true;
                effects.push(Effect::End { item: id, reason: CancelReason::Cancelled });
            }
            Stage::HandingOver(_) => self.let_go(id, effects),
            Stage::Running(_) | Stage::Waiting(_) | Stage::Asking(_) | Stage::Replying(_) | Stage::Burying(_) => {}
        }
    }

    /// Something else completes the task: its owner must know before the work item may go.
    pub(super) fn hand_over(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let has_owner = self.run_of(id).is_some_and(|run| run.has_owner && !run.is_cancelled);
        let Some(item) = self.items.get_mut(&id) else { return };
        let Stage::Running(run) = &mut item.stage else { return };
        self.questions += 1;
        let word = Some(format!("{:016x}:{}", self.life, self.questions));
        item.stage = Stage::HandingOver(Box::new(Run { word, ..(**run).clone() }));
        self.leave_slot(id);
        if has_owner { self.say(id, false, effects) } else { self.let_go(id, effects) }
    }

    /// Frees the slot of an item that has run, and still holds its delivery until it is answered.
    pub(super) fn leave_slot(&mut self, id: ItemId) {
        self.running -= 1;
        self.replying += 1;
        if let Some(item) = self.items.get(&id) {
            self.queues.end(item.queue);
        }
        self.suspects.is_over(id);
    }

    /// Returns the item that holds an attempt.
    pub(super) fn by_token(&mut self, token: &str) -> Option<(ItemId, &mut Item)> {
        let id = *self.tokens.get(token)?;
        Some((id, self.items.get_mut(&id)?))
    }

    /// Acknowledges an item to which nothing is left to do here.
    pub(super) fn let_go(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let mut acks = Acks::default();
        if let Some(item) = self.forget(id) {
            acks.add(&item.deliveries);
        }
        self.acknowledge(&acks, effects);
    }

    /// What is not known of a channel that was lost is said again.
    pub(super) fn say_anew(&mut self) {
        for item in self.items.values_mut() {
            if let Stage::Running(run) | Stage::HandingOver(run) = &mut item.stage
                && run.said_at.is_some()
            {
                run.is_held = false;
            }
        }
        self.looked_at = Duration::ZERO;
    }

    pub(super) fn run_of(&mut self, id: ItemId) -> Option<&mut Run> {
        match &mut self.items.get_mut(&id)?.stage {
            Stage::Running(run) | Stage::HandingOver(run) => Some(run),
            Stage::Waiting(_) | Stage::Asking(_) | Stage::Replying(_) | Stage::Burying(_) => None,
        }
    }

    /// Tells the owner of a run that this worker is at it.
    pub(super) fn say(&mut self, id: ItemId, is_workers: bool, effects: &mut Vec<Effect>) {
        let (now, lease, name) = (self.now, self.limits.lease, self.name.clone());
        let Some(run) = self.run_of(id).filter(|run| run.has_owner) else { return };
        run.said_at = Some(now);
        let beat = Beat {
            lease: Some(lease),
            is_workers,
            is_handed_over: run.word.is_some(),
            // Again until an answer has come: a word may be lost.
            progress: run.progress.clone().filter(|_| run.is_unsaid),
        };
        effects.push(Effect::Ask(heartbeat(&run.work, &name, &beat, run.word.as_deref())));
    }
}

#[cfg(test)]
#[path = "runs_test.rs"]
mod test;
