//! Work items that go back to their queue, as the real consumer of packs sends them.

use warren_broker::{Delivery, Published, codec::given_back};

use crate::{broker::ChannelId, broker::Ticket, fault::Fault, world::World};

impl World {
    /// Sends back what waits in vain at a worker.
    pub(super) fn send_back_overdue(&mut self, worker: usize) {
        let now = self.now.elapsed();
        for id in self.workers[worker].channels.clone().into_iter().flatten() {
            let Some(channel) = self.broker.channels.get_mut(&id) else { continue };
            let parts = channel.tally.overdue(now);
            self.send_back(worker, id, parts);
        }
    }

    /// A worker takes no more: what has no slot goes back at once.
    pub(super) fn drain_channel(&mut self, worker: usize, queue: usize) {
        let Some(id) = self.workers[worker].channels[queue] else { return };
        let now = self.now.elapsed();
        let Some(channel) = self.broker.channels.get_mut(&id) else { return };
        let (words, parts) = (channel.tally.drain(), channel.tally.overdue(now));
        self.broker_hears(id, words);
        self.send_back(worker, id, parts);
    }

    /// Gives back an item that was not begun; returns whether it can go by itself.
    pub(super) fn give_back(&mut self, worker: usize, queue: usize, tag: u64) -> bool {
        let Some(id) = self.workers[worker].channels[queue] else { return false };
        let Some(channel) = self.broker.channels.get_mut(&id) else { return false };
        let Some(part) = channel.tally.give_back(tag) else { return false };
        self.send_back(worker, id, vec![part]);
        true
    }

    fn send_back(&mut self, worker: usize, channel: ChannelId, parts: Vec<Delivery>) {
        if parts.is_empty() {
            return;
        }
        parts.iter().for_each(|_| self.faults.count(Fault::ItemGivenBack));
        let batch = parts.iter().cloned().map(given_back).collect();
        match self.publisher_of(worker) {
            Some(publisher) => self.publish(publisher, Ticket::Back(channel, parts), batch),
            None => {
                let lost = vec![Published::Lost("the broker is away".into()); parts.len()];
                self.went_back(channel, parts, &lost);
            }
        }
    }

    /// It is known what became of items that were to go back.
    pub(super) fn went_back(&mut self, id: ChannelId, parts: Vec<Delivery>, results: &[Published]) {
        for (part, result) in parts.into_iter().zip(results) {
            let Some(channel) = self.broker.channels.get_mut(&id) else { return };
            let words = channel.tally.went_back(part, *result == Published::Confirmed);
            self.broker_hears(id, words);
        }
    }
}
