//! Acknowledgements, as few as can be: each costs the broker about as much as a message.

use super::{Effect, QueueId, Worker, item::Held};

/// Deliveries that are done with.
#[derive(Debug, Default)]
pub(super) struct Acks(Vec<(QueueId, u64)>);

impl Acks {
    pub(super) fn add(&mut self, deliveries: &[Held]) {
        self.0.extend(deliveries.iter().map(|held| (held.queue, held.tag)));
    }
}

impl Worker {
    pub(super) fn note_unacked(&mut self, held: Held) {
        if let Some(queue) = self.queues.get(held.queue) {
            queue.unacked.insert(held.tag);
        }
    }

    pub(super) fn requeue(&mut self, held: Held, effects: &mut Vec<Effect>) {
        if let Some(queue) = self.queues.get(held.queue) {
            queue.unacked.remove(&held.tag);
        }
        effects.push(Effect::Requeue { queue: held.queue, tag: held.tag });
    }

    /// Acknowledges each queue's deliveries: in one go up to the oldest that is not done, the rest one by one.
    pub(super) fn acknowledge(&mut self, acks: &Acks, effects: &mut Vec<Effect>) {
        for id in self.queues.ids() {
            let Some(queue) = self.queues.get(id) else { continue };
            let mut tags: Vec<u64> = acks.0.iter().filter(|(of, _)| *of == id).map(|(_, tag)| *tag).collect();
            tags.sort_unstable();
            for tag in &tags {
                queue.unacked.remove(tag);
            }
            let oldest = queue.unacked.first().copied().unwrap_or(u64::MAX);
            let below = tags.partition_point(|tag| *tag < oldest);
            if let Some(last) = tags[..below].last() {
                effects.push(Effect::Ack { queue: id, tag: *last, multiple: below > 1 });
            }
            effects.extend(tags[below..].iter().map(|tag| Effect::Ack { queue: id, tag: *tag, multiple: false }));
        }
    }
}

#[cfg(test)]
#[path = "acks_test.rs"]
mod test;
