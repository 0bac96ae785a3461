//! A worker whose slots are all taken for long takes no deliveries: others may have slots.
//!
//! The prefetch sees to that while what runs is unacknowledged. What was acknowledged while it runs (H7) has a slot and no
//! delivery, so another one comes in its place.
//!
//! ```text
//!  consuming ──no slot for [`PATIENCE`]──▶ pausing ──the broker sends no more──▶ paused: what waits goes back
//!      ▲                                                                           │
//!      └────────────────────────────────── a slot is free ─────────────────────────┘
//! ```

use std::time::Duration;

use super::{
    Effect, ItemId, Phase, QueueId, Worker,
    item::{Item, Stage},
};

/// So long no slot becomes free before a worker pauses: what ends sooner is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Worker {
    /// Notes whether there is a slot, and consumes again if one has become free.
    pub(super) fn note_room(&mut self, effects: &mut Vec<Effect>) {
        if !self.has_room() {
            self.full_since.get_or_insert(self.now);
            return;
        }
        if self.full_since.take().is_none() {
            return;
        }
        self.ask_for_batons(effects);
        for id in self.queues.ids().filter(|id| !self.queues.has_baton(*id)).collect::<Vec<_>>() {
            if let Some(queue) = self.queues.get(id).filter(|queue| queue.is_paused) {
                queue.is_paused = false;
                effects.push(Effect::Consume { queue: id });
            }
        }
    }

    /// Pauses, if no slot has become free for long and one is taken by what was acknowledged. What has a limit pauses anyway,
    /// as no other worker serves it, but only while nothing of it runs: the broker would let another begin its items beside.
    pub(super) fn pause(&mut self, effects: &mut Vec<Effect>) {
        let is_full = self.full_since.is_some_and(|since| since + PATIENCE <= self.now);
        if !is_full || self.phase != Phase::Serving {
            return;
        }
        self.leave_batons(effects);
        let has_released = self.has_released();
        for id in self.queues.ids() {
            let is_idle = self.queues.is_idle(id);
            let queue = self.queues.get(id).filter(|queue| !queue.is_paused);
            if let Some(queue) = queue.filter(|queue| if queue.lets_go() { has_released } else { is_idle }) {
                queue.is_paused = true;
                effects.push(Effect::Pause { queue: id });
            }
        }
    }

    /// Gives back what waits of a queue, now that it would not come right back.
    pub(super) fn paused(&mut self, id: QueueId, effects: &mut Vec<Effect>) {
        let Some(queue) = self.queues.get(id).filter(|queue| queue.is_paused) else { return };
        queue.waiting.clear();
        let name = queue.name.clone();
        let waits = |item: &Item| item.queue == id && matches!(item.stage, Stage::Waiting(_));
        let waiting: Vec<ItemId> = self.items.iter().filter(|(_, item)| waits(item)).map(|(id, _)| *id).collect();
        if !waiting.is_empty() {
            tracing::info!(queue = name, waiting = waiting.len(), "queue is paused: others take its work items");
        }
        for item in waiting {
            let Some(item) = self.forget(item) else { continue };
            for held in item.all_deliveries() {
                self.requeue(held, effects);
            }
        }
    }

    fn has_released(&self) -> bool {
        let is_released = |stage: &Stage| match stage {
            Stage::Running(run) => run.is_released,
            Stage::Waiting(_) | Stage::Asking(_) | Stage::HandingOver(_) | Stage::Replying(_) | Stage::Burying(_) => {
                false
            }
        };
        self.items.values().any(|item| is_released(&item.stage))
    }
}

#[cfg(test)]
#[path = "pause_test.rs"]
mod test;
