//! Acknowledgements, as few as can be: each costs the broker about as much as a message.

use std::time::Duration;

use super::{Effect, QueueId, Worker, item::Held, queue::Queue};

/// How long one waits for an older one, to be acknowledged with it: replies to several partitions are confirmed out of order.
const ACK_AFTER: Duration = Duration::from_millis(50);
/// Fewer wait for the next tick: an acknowledgement goes to disk as a message does, and what follows from a reply should
/// not have to share the disk and the processors with it. More would come to the broker in bursts.
const MANY: usize = 32;
/// Which share of the slots may be taken by what waits, lest the broker sends less than can run.
const WAITING_SHARE: usize = 8;

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

    /// Acknowledges each queue's deliveries once they are many: in one go up to the oldest that is not done. The rest waits
    /// for that a moment, as long as it is little.
    pub(super) fn acknowledge(&mut self, acks: &Acks, effects: &mut Vec<Effect>) {
        let most = if self.is_serving() { usize::from(self.limits.concurrency.get()) / WAITING_SHARE } else { 0 };
        for id in self.queues.ids() {
            let Some(queue) = self.queues.get(id) else { continue };
            for (_, tag) in acks.0.iter().filter(|(of, _)| *of == id) {
                queue.unacked.remove(tag);
                queue.done.insert(*tag, self.now);
            }
            let is_too_much = |queue: &Queue| queue.done.len() >= most || !queue.lets_go();
            if queue.done.len() >= MANY || is_too_much(queue) {
                queue.acknowledge_in_one_go(id, effects);
            }
            if is_too_much(queue) {
                queue.acknowledge_one_by_one(id, self.now, effects);
            }
        }
    }

    /// Acknowledges what is done, but for what has not waited long enough for an older one.
    pub(super) fn acknowledge_late(&mut self, effects: &mut Vec<Effect>) {
        let Some(by) = self.now.checked_sub(ACK_AFTER) else { return };
        for id in self.queues.ids() {
            let Some(queue) = self.queues.get(id) else { continue };
            queue.acknowledge_in_one_go(id, effects);
            queue.acknowledge_one_by_one(id, by, effects);
        }
    }
}

impl Queue {
    fn acknowledge_in_one_go(&mut self, id: QueueId, effects: &mut Vec<Effect>) {
        let oldest = self.unacked.first().copied().unwrap_or(u64::MAX);
        let behind = self.done.split_off(&oldest);
        let below = std::mem::replace(&mut self.done, behind);
        if let Some((last, _)) = below.last_key_value() {
            effects.push(Effect::Ack { queue: id, tag: *last, multiple: below.len() > 1 });
        }
    }

    /// Acknowledges what was done by then.
    fn acknowledge_one_by_one(&mut self, id: QueueId, by: Duration, effects: &mut Vec<Effect>) {
        let late = self.done.extract_if(.., |_, since| *since <= by);
        effects.extend(late.map(|(tag, _)| Effect::Ack { queue: id, tag, multiple: false }));
    }
}

#[cfg(test)]
#[path = "acks_test.rs"]
mod test;
