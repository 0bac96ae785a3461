//! The worker is asked to stop.

use std::time::Duration;

use warren::CancelReason;
use warren_broker::codec::hand_back;

use super::{
    Effect, ItemId, Phase, Worker,
    acks::Acks,
    item::{Letters, Stage},
};

/// How long before the end of a drain what still runs is told to end.
const NOTICE: Duration = Duration::from_secs(3);
/// How long what is handed back may take to reach its owner.
const LEAVE: Duration = Duration::from_secs(2);

impl Worker {
    /// Takes nothing more, and hands back what has not begun so that others get it at once.
    pub(super) fn drain(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_serving() {
            return;
        }
        self.phase = Phase::Draining { until: self.now + self.limits.drain };
        effects.extend(self.queues.ids().map(|queue| Effect::Cancel { queue }));
        for id in self.unbegun() {
            let Some(item) = self.forget(id) else { continue };
            for held in item.all_deliveries() {
                self.requeue(held, effects);
            }
        }
        for id in self.queues.ids() {
            if let Some(queue) = self.queues.get(id) {
                queue.waiting.clear();
            }
        }
        self.acknowledge(&Acks::default(), effects);
    }

    /// Stops once nothing runs and every reply is confirmed, or the time is up. What then runs is told to end, and what
    /// does not is handed back to its owner: nobody is blamed for it. What is unacknowledged goes to another worker when
    /// the channels close; an unconfirmed reply may so be sent twice, and the owner takes one.
    pub(super) fn stop_when_done(&mut self, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Serving | Phase::Stopped => return,
            Phase::Draining { until } if self.now + NOTICE >= until => {
                self.phase = Phase::Stopping { until };
                let reason = CancelReason::WorkerStops;
                effects.extend(self.running_items().into_iter().map(|item| Effect::End { item, reason }));
            }
            Phase::Stopping { until } if self.now >= until => {
                self.phase = Phase::Leaving { until: until + LEAVE };
                self.running_items().into_iter().for_each(|id| self.hand_back(id, effects));
            }
            Phase::Draining { .. } | Phase::Stopping { .. } | Phase::Leaving { .. } => {}
        }
        let is_over = matches!(self.phase, Phase::Leaving { until } if self.now >= until);
        if self.items.is_empty() || is_over {
            self.phase = Phase::Stopped;
            effects.push(Effect::Stopped { running: self.handed_back, replying: self.items.len() });
        }
    }

    /// Returns whether what runs was told to end.
    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. } | Phase::Leaving { .. })
    }

    /// Gives up what runs, so that another worker begins it: its owner is told, then its work item goes back.
    pub(super) fn hand_back(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let Some(item) = self.items.get_mut(&id) else { return };
        let Stage::Running(run) = &item.stage else { return };
        tracing::info!(token = &*run.work.token, activity = &*run.work.activity, "activity is handed back");
        self.handed_back += 1;
        if !run.has_owner || run.is_cancelled {
            let Some(item) = self.forget(id) else { return };
            return item.deliveries.into_iter().for_each(|held| self.requeue(held, effects));
        }
        // After a loss of its channel there is nothing to give back, and what the broker delivered again was dropped meanwhile.
        let must_resend = run.is_released || item.deliveries.is_empty();
        let word = hand_back(&run.work, &self.name, must_resend, run.progress.as_ref());
        let mut letters = Letters::new(Some(run.work.token.clone()), [word.clone()]);
        letters.gives_back = true;
        item.stage = Stage::Replying(letters);
        self.leave_slot(id);
        effects.push(Effect::Publish { item: id, publication: word });
    }

    fn running_items(&self) -> Vec<ItemId> {
        let running = self.items.iter().filter(|(_, item)| matches!(item.stage, Stage::Running(_)));
        running.map(|(id, _)| *id).collect()
    }

    fn unbegun(&self) -> Vec<ItemId> {
        let waiting = self.items.iter().filter(|(_, item)| matches!(item.stage, Stage::Waiting(_) | Stage::Asking(_)));
        waiting.map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
#[path = "drain_test.rs"]
mod test;
