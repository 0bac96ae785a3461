//! The worker is asked to stop.

use super::{Effect, ItemId, Phase, Worker, item::Stage};

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
    }

    /// Stops once nothing runs and every reply is confirmed, or the time is up. What is then unacknowledged goes to
    /// another worker when the channels close; an unconfirmed reply may so be sent twice, and the owner takes one.
    pub(super) fn stop_when_done(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Draining { until } = self.phase else { return };
        if self.items.is_empty() || self.now >= until {
            self.phase = Phase::Stopped;
            effects.push(Effect::Stopped { running: self.running, replying: self.items.len() - self.running });
        }
    }

    fn unbegun(&self) -> Vec<ItemId> {
        let waiting = self.items.iter().filter(|(_, item)| matches!(item.stage, Stage::Waiting(_) | Stage::Asking(_)));
        waiting.map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
#[path = "drain_test.rs"]
mod test;
