//! A simulated broker: queues, channels with unacknowledged deliveries, publishers with confirms. It does at once what
//! it is asked; the world decides when it is asked, and what is lost on the way.

mod channel;
mod publisher;
mod queue;

use std::{collections::BTreeMap, sync::Arc};

use warren_broker::{
    Address, Delivery, Message, Publication, Topology,
    packing::{Lanes, Pace, Word},
};

use self::publisher::Publisher;
use self::queue::Queue;
pub(crate) use self::{
    channel::{Channel, ChannelId},
    publisher::{Flight, FlightId, PublisherId, Settled, Ticket},
    queue::{Stored, parts},
};
use crate::{time::Time, world::Process};

/// Who consumes a channel or publishes on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A partition's session.
    Session { session: u64, replica: usize, life: u32 },
    /// The ingress of a replica.
    Forwarder { replica: usize, life: u32 },
    /// A worker, with the queue's place in its list.
    Worker { worker: usize, life: u32, queue: usize },
}

impl Holder {
    /// Returns the process that it belongs to.
    pub(crate) fn process(self) -> Process {
        match self {
            Self::Session { replica, life, .. } | Self::Forwarder { replica, life } => {
                Process::Replica { replica, life }
            }
            Self::Worker { worker, life, .. } => Process::Worker { worker, life },
        }
    }
}

/// All that the broker holds.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) channels: BTreeMap<ChannelId, Channel>,
    pub(crate) publishers: BTreeMap<PublisherId, Publisher>,
    /// What each of them has not published yet.
    lanes: BTreeMap<PublisherId, (Holder, Lanes<Ticket>)>,
    /// What each process knows of the queues that it sends work items to.
    paces: BTreeMap<Process, Pace>,
    topology: Arc<Topology>,
    pub(crate) flights: BTreeMap<FlightId, Flight>,
    /// Channels whose holder has something to hear.
    pub(crate) news: Vec<ChannelId>,
    /// Whether what is given back goes to the end of its queue, as quorum queues may do it.
    requeues_at_the_end: bool,
    pub(crate) is_away: bool,
    ids: u64,
}

/// What a consumer takes from its channel.
pub(crate) enum Taken {
    Deliveries(Vec<Delivery>),
    /// No more will come.
    End,
    Nothing,
}

impl Broker {
    pub(crate) fn new(topology: Topology, requeues_at_the_end: bool) -> Self {
        Self {
            queues: BTreeMap::new(),
            channels: BTreeMap::new(),
            publishers: BTreeMap::new(),
            lanes: BTreeMap::new(),
            paces: BTreeMap::new(),
            topology: Arc::new(topology),
            flights: BTreeMap::new(),
            news: Vec::new(),
            requeues_at_the_end,
            is_away: false,
            ids: 0,
        }
    }

    fn pace(&mut self, process: Process) -> &mut Pace {
        self.paces.entry(process).or_insert_with(|| Pace::new(self.topology.clone()))
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn declare(&mut self, name: &str) {
        if !self.queues.contains_key(name) {
            let is_single = name == self.topology.ingress_queue().name;
            self.queues.insert(name.into(), Queue::new(is_single));
        }
    }

    /// Opens a channel that consumes a queue; `None` if there is no such queue.
    pub(crate) fn consume(&mut self, name: &str, prefetch: usize, holder: Holder) -> Option<ChannelId> {
        let id = ChannelId(self.id());
        self.queues.get_mut(name)?.consumers.push_back(id);
        self.channels.insert(id, Channel::new(name, prefetch, holder));
        self.pump(name);
        Some(id)
    }

    /// Closes a channel: what it holds returns to its queue. Its consumer may still take what has arrived.
    pub(crate) fn close(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if channel.is_closed {
            return;
        }
        channel.is_closed = true;
        let (name, unacked) = (channel.queue.clone(), std::mem::take(&mut channel.unacked));
        self.news.push(id);
        let at_the_end = self.requeues_at_the_end;
        if let Some(queue) = self.queues.get_mut(&name) {
            queue.consumers.retain(|consumer| *consumer != id);
            unacked.into_values().for_each(|stored| queue.give_back(stored, at_the_end));
        }
        self.pump(&name);
    }

    /// Forgets a channel whose consumer is gone.
    pub(crate) fn forget(&mut self, id: ChannelId) {
        self.close(id);
        self.channels.remove(&id);
    }

    /// Ends the deliveries to a channel; what it holds stays with it.
    pub(crate) fn cancel(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.is_cancelled = true;
        self.news.push(id);
        let name = channel.queue.clone();
        if let Some(queue) = self.queues.get_mut(&name) {
            queue.consumers.retain(|consumer| *consumer != id);
        }
        self.pump(&name);
    }

    /// Delivers to a cancelled channel again; if its queue is gone, the channel ends.
    pub(crate) fn restart(&mut self, id: ChannelId) {
        let Some(channel) = self.channels.get_mut(&id).filter(|channel| !channel.is_closed) else { return };
        channel.is_cancelled = false;
        channel.tally.restart();
        let name = channel.queue.clone();
        match self.queues.get_mut(&name) {
            Some(queue) => queue.consumers.push_back(id),
            None => self.close(id),
        }
        self.pump(&name);
    }

    /// Returns whether a channel is gone, with all that it held.
    pub(crate) fn is_lost(&self, id: ChannelId) -> bool {
        self.channels.get(&id).is_none_or(|channel| channel.is_closed)
    }

    /// Takes an acknowledgement and returns the messages that are gone.
    pub(crate) fn ack(&mut self, id: ChannelId, tag: u64, multiple: bool) -> Vec<Stored> {
        let Some(channel) = self.channels.get_mut(&id) else { return Vec::new() };
        let words = channel.tally.ack(tag, multiple);
        self.hear(id, words)
    }

    pub(crate) fn requeue(&mut self, id: ChannelId, tag: u64) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let words = channel.tally.requeue(tag);
        self.hear(id, words);
    }

    /// Does as a consumer says of its deliveries, and returns those that are gone.
    pub(crate) fn hear(&mut self, id: ChannelId, words: Vec<Word>) -> Vec<Stored> {
        let Some(channel) = self.channels.get_mut(&id) else { return Vec::new() };
        if channel.tally.has_more() {
            self.news.push(id); // there may be room for them now
        }
        let (name, mut gone) = (channel.queue.clone(), Vec::new());
        for word in words {
            match word {
                Word::Ack { tag, multiple } => gone.extend(channel.ack(tag, multiple)),
                Word::Requeue(tag) => {
                    let at_the_end = self.requeues_at_the_end;
                    if let (Some(stored), Some(queue)) = (channel.unacked.remove(&tag), self.queues.get_mut(&name)) {
                        queue.give_back(stored, at_the_end);
                    }
                }
            }
        }
        self.pump(&name);
        gone
    }

    /// Takes what has arrived at a channel, at most `max`.
    pub(crate) fn take(&mut self, id: ChannelId, max: usize) -> Taken {
        let Some(channel) = self.channels.get_mut(&id) else { return Taken::End };
        let taken = channel.take(max);
        if !taken.is_empty() {
            let process = channel.holder.process();
            taken.iter().for_each(|delivery| self.pace(process).note(&delivery.message));
            return Taken::Deliveries(taken);
        }
        if channel.is_closed || channel.is_cancelled { Taken::End } else { Taken::Nothing }
    }

    /// Returns the queue that a publication goes to, if there is one.
    pub(crate) fn target(&self, publication: &Publication) -> Option<(String, String)> {
        let (name, key) = match &publication.to {
            Address::Queue(name) => (name.to_string(), name),
            Address::Exchange { key, .. } => (self.topology.ingress_queue().name, key),
        };
        self.queues.contains_key(&name).then(|| (name, key.to_string()))
    }

    /// Puts a message into a queue that exists.
    pub(crate) fn enqueue(&mut self, name: &str, routing_key: &str, message: Message, now: Time) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.push(routing_key.into(), message, now);
        }
        self.pump(name);
    }

    /// Deletes a queue that holds nothing; its consumers end. Returns whether it did.
    pub(crate) fn delete_empty(&mut self, name: &str) -> bool {
        let holds = self.channels.values().any(|channel| channel.queue == name && !channel.unacked.is_empty());
        let is_empty = self.queues.get(name).is_some_and(|queue| queue.ready.is_empty());
        if holds || !is_empty {
            return false;
        }
        let consumers: Vec<ChannelId> =
            self.channels.iter().filter(|(_, channel)| channel.queue == name).map(|(id, _)| *id).collect();
        consumers.into_iter().for_each(|id| self.cancel(id));
        self.queues.remove(name);
        true
    }

    /// Returns every message that a queue holds, ready or unacknowledged.
    pub(crate) fn held<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Stored> {
        let ready = self.queues.get(name).into_iter().flat_map(|queue| queue.ready.values());
        let channels = self.channels.values().filter(move |channel| channel.queue == name);
        ready.chain(channels.flat_map(|channel| channel.unacked.values()))
    }

    /// Hands out what is ready to whoever has room.
    fn pump(&mut self, name: &str) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let channels = &mut self.channels;
        while let Some(id) = queue.next_consumer(|id| channels.get(&id).is_some_and(Channel::has_room)) {
            let (Some(channel), Some(stored)) = (channels.get_mut(&id), queue.pop()) else { return };
            channel.deliver(stored);
            self.news.push(id);
        }
    }
}

#[cfg(test)]
#[path = "broker_test.rs"]
mod test;
