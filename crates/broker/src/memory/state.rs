//! All that the broker holds, and what each operation does to it. No waiting: that is the handles' part.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tokio::sync::Notify;

use super::{
    channel::Channel,
    faults::Faults,
    queue::{ChannelId, Queue, Stored},
    topic,
};
use crate::{Address, Delivery, Message, Publication, Published, Text, Topology};

/// Where answers to a requester go.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) answers: VecDeque<Delivery>,
    pub(super) received: u64,
    pub(super) wake: Arc<Notify>,
}

/// All that the broker holds.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, Queue>,
    /// Per exchange: pattern and queue.
    exchanges: BTreeMap<String, BTreeSet<(String, String)>>,
    pub(super) channels: BTreeMap<ChannelId, Channel>,
    pub(super) inboxes: BTreeMap<String, Inbox>,
    /// Rises whenever every connection breaks; handles of an earlier time are lost.
    pub(super) generation: u64,
    pub(super) faults: Faults,
    next_id: u64,
}

impl State {
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Declares a queue and the exchange that feeds it, and the dead queue beside it.
    pub(super) fn declare(&mut self, topology: &Topology, queue: &crate::QueueSpec) {
        for spec in [queue, &topology.dead()] {
            let new = || Queue::new(topology.arguments(spec.kind));
            self.queues.entry(spec.name.clone()).or_insert_with(new);
        }
        if let Some(binding) = topology.binding(queue.kind) {
            let bound = self.exchanges.entry(binding.exchange).or_default();
            bound.extend(binding.keys.into_iter().map(|key| (key.to_owned(), queue.name.clone())));
        }
    }

    /// Opens a channel that consumes a queue; `None` if there is no such queue.
    pub(super) fn consume(&mut self, name: &str, prefetch: u16) -> Option<ChannelId> {
        let id = self.next_id();
        self.queues.get_mut(name)?.consumers.push_back(id);
        self.channels.insert(id, Channel::new(name, prefetch));
        self.pump(name);
        Some(id)
    }

    /// Closes a channel: what it holds returns to its place.
    pub(super) fn close(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.remove(&id) else { return };
        channel.wake.notify_one();
        self.leave(id, &channel.queue);
        for stored in channel.unacked.into_values() {
            self.give_back(&channel.queue, stored);
        }
        self.pump(&channel.queue);
    }

    /// Ends the deliveries to a channel; what it holds stays with it.
    pub(super) fn cancel(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.cancel();
        let queue = channel.queue.clone();
        self.leave(id, &queue);
        self.pump(&queue);
    }

    /// Delivers to a cancelled channel again; returns whether it and its queue are there.
    pub(super) fn restart(&mut self, id: ChannelId) -> bool {
        let Some(channel) = self.channels.get_mut(&id) else { return false };
        let Some(queue) = self.queues.get_mut(&channel.queue) else { return false };
        channel.cancelled = false;
        queue.consumers.push_back(id);
        let name = channel.queue.clone();
        self.pump(&name);
        true
    }

    pub(super) fn ack(&mut self, id: ChannelId, tag: u64, multiple: bool) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.ack(tag, multiple);
        let queue = channel.queue.clone();
        self.pump(&queue);
    }

    pub(super) fn requeue(&mut self, id: ChannelId, tag: u64) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let queue = channel.queue.clone();
        if let Some(stored) = channel.unacked.remove(&tag) {
            self.give_back(&queue, stored);
        }
        self.pump(&queue);
    }

    /// Deletes a queue with all it holds; its consumers end.
    pub(super) fn delete(&mut self, name: &str) {
        self.queues.remove(name);
        for channel in self.channels.values_mut().filter(|channel| channel.queue == name) {
            channel.cancel();
        }
        for bound in self.exchanges.values_mut() {
            bound.retain(|(_, queue)| queue != name);
        }
    }

    /// Routes a publication.
    pub(super) fn publish(&mut self, publication: Publication) -> Published {
        if let Some(why) = &self.faults.refusing {
            return Published::Refused(why.clone());
        }
        let Publication { to, mandatory, message, .. } = publication;
        let routed = match to {
            Address::Queue(name) if self.answer(&name, mandatory, &message) => true,
            Address::Queue(name) => self.enqueue(&name, &name, message),
            Address::Exchange { exchange, key } => match self.bound_queues(&exchange, &key) {
                None => return Published::Lost(format!("there is no exchange {exchange:?}")),
                Some(queues) => queues.iter().filter(|queue| self.enqueue(queue, &key, message.clone())).count() > 0,
            },
        };
        match routed {
            _ if self.faults.losing_confirms => Published::Lost("the confirm was dropped".into()),
            false if mandatory => Published::Returned,
            true | false => Published::Confirmed,
        }
    }

    /// Gives the message to the requester of that name; as with RabbitMQ, not if it is mandatory.
    fn answer(&mut self, name: &str, mandatory: bool, message: &Message) -> bool {
        let Some(inbox) = self.inboxes.get_mut(name).filter(|_| !mandatory) else { return false };
        inbox.received += 1;
        let (tag, routing_key) = (inbox.received, Text::from(name));
        inbox.answers.push_back(Delivery { tag, redelivered: false, routing_key, message: message.clone() });
        inbox.wake.notify_one();
        true
    }

    fn bound_queues(&self, exchange: &str, key: &str) -> Option<BTreeSet<String>> {
        let bound = self.exchanges.get(exchange)?;
        Some(bound.iter().filter(|(pattern, _)| topic::matches(pattern, key)).map(|(_, queue)| queue.clone()).collect())
    }

    fn enqueue(&mut self, name: &str, routing_key: &str, message: Message) -> bool {
        let Some(queue) = self.queues.get_mut(name) else { return false };
        queue.push(routing_key.into(), message);
        self.pump(name);
        true
    }

    fn give_back(&mut self, name: &str, stored: Stored) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some(dead) = queue.give_back(stored) else { return };
        if let Some(target) = queue.dead_letter_queue() {
            self.enqueue(&target, &target, dead.message);
        }
    }

    fn leave(&mut self, id: ChannelId, queue: &str) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.consumers.retain(|consumer| *consumer != id);
        }
    }

    /// Hands out what is ready to whoever has room.
    fn pump(&mut self, name: &str) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let channels = &mut self.channels;
        while let Some(id) = queue.next_consumer(|id| channels.get(&id).is_some_and(Channel::has_room)) {
            let (Some(channel), Some(stored)) = (channels.get_mut(&id), queue.pop()) else { return };
            channel.deliver(stored);
        }
    }
}
