//! The handle of the broker, and what a test may do to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{
    MemoryConsumer, MemoryPublisher, MemoryRequester,
    queue::ChannelId,
    state::{Inbox, State},
};
use crate::{Broker, Error, Health, Message, QueueSpec, Result, Topology};

/// A broker in this process. Clones are the same broker.
#[derive(Clone, Debug)]
pub struct Memory(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    topology: Topology,
    state: Mutex<State>,
    /// Wakes publishers that wait for the end of a blockade.
    pub(super) unblocked: Notify,
}

impl Memory {
    /// Returns an empty broker.
    pub fn new(topology: Topology) -> Self {
        Self(Arc::new(Shared { topology, state: Mutex::default(), unblocked: Notify::new() }))
    }

    /// Closes the channels of a queue's consumers; what they hold is requeued.
    pub fn break_consumers(&self, queue: &str) {
        self.break_where(|channel_queue| channel_queue == queue);
    }

    /// Breaks every connection: consumers and requesters end, publishers lose what they send; new ones work.
    pub fn break_connections(&self) {
        self.state().generation += 1;
        self.break_where(|_| true);
        let inboxes = std::mem::take(&mut self.state().inboxes);
        inboxes.values().for_each(|inbox| inbox.wake.notify_one());
        self.0.unblocked.notify_waiters();
    }

    /// Takes the broker down with this reason, or brings it up again. Queues survive.
    pub fn set_down(&self, why: Option<&str>) {
        self.state().faults.down = why.map(Into::into);
        if why.is_some() {
            self.break_connections();
        }
    }

    /// Blocks publishing with this reason, as the broker does in an alarm, or lets it go on.
    pub fn set_blocked(&self, why: Option<&str>) {
        self.state().faults.blocked = why.map(Into::into);
        self.0.unblocked.notify_waiters();
    }

    /// Refuses publications with this reason, or takes them again.
    pub fn set_refusing(&self, why: Option<&str>) {
        self.state().faults.refusing = why.map(Into::into);
    }

    /// Loses the confirms of publications that arrive, or not.
    pub fn set_losing_confirms(&self, losing: bool) {
        self.state().faults.losing_confirms = losing;
    }

    /// Deletes a queue with all it holds.
    pub fn delete_queue(&self, queue: &str) {
        self.state().delete(queue);
    }

    /// Returns whether there is a queue of this name.
    pub fn has_queue(&self, queue: &str) -> bool {
        self.state().queues.contains_key(queue)
    }

    /// Returns the messages of a queue that no consumer holds, in order.
    pub fn ready(&self, queue: &str) -> Vec<Message> {
        let state = self.state();
        let ready = state.queues.get(queue).map(|queue| queue.ready().map(|stored| stored.message.clone()).collect());
        ready.unwrap_or_default()
    }

    /// Returns how many messages of a queue consumers hold unacknowledged.
    pub fn unacknowledged(&self, queue: &str) -> usize {
        let state = self.state();
        let held = state.channels.values().filter(|channel| channel.queue == queue);
        held.map(|channel| channel.unacked.len()).sum()
    }

    /// Returns how many consumers a queue has.
    pub fn consumers(&self, queue: &str) -> usize {
        self.state().queues.get(queue).map_or(0, |queue| queue.consumers.len())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state as some operation left it, which is good enough to go on in a test.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn break_where(&self, breaks: impl Fn(&str) -> bool) {
        let mut state = self.state();
        let ids: Vec<ChannelId> =
            state.channels.iter().filter(|(_, channel)| breaks(&channel.queue)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| state.close(id));
    }

    /// Returns the state, or why the broker can't be reached.
    fn reach(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        match state.faults.down.clone() {
            Some(why) => Err(unavailable(why)),
            None => Ok(state),
        }
    }
}

pub(super) fn unavailable(why: String) -> Error {
    Error::Unavailable { address: "memory".into(), why }
}

impl Broker for Memory {
    type Consumer = MemoryConsumer;
    type Publisher = MemoryPublisher;
    type Requester = MemoryRequester;

    async fn declare(&self, queue: &QueueSpec) -> Result<()> {
        self.reach()?.declare(&self.0.topology, queue);
        Ok(())
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<MemoryConsumer> {
        let mut state = self.reach()?;
        let id = state.consume(queue, prefetch).ok_or_else(|| unavailable(format!("there is no queue {queue:?}")))?;
        let wake = state.channels[&id].wake.clone();
        Ok(MemoryConsumer::new(self.clone(), id, wake))
    }

    async fn publisher(&self) -> Result<MemoryPublisher> {
        let generation = self.reach()?.generation;
        Ok(MemoryPublisher::new(self.clone(), generation))
    }

    async fn requester(&self) -> Result<MemoryRequester> {
        let mut state = self.reach()?;
        let reply_to = format!("amq.rabbitmq.reply-to.{}", state.next_id());
        let inbox = Inbox::default();
        let wake = inbox.wake.clone();
        state.inboxes.insert(reply_to.clone(), inbox);
        let publisher = MemoryPublisher::new(self.clone(), state.generation);
        Ok(MemoryRequester::new(publisher, reply_to, wake))
    }

    fn health(&self) -> Health {
        let faults = &self.state().faults;
        match (&faults.down, &faults.blocked, &faults.refusing) {
            (Some(why), _, _) => Health::Down(why.clone()),
            (None, Some(why), _) => Health::Blocked(why.clone()),
            (None, None, Some(why)) => Health::Refusing(why.clone()),
            (None, None, None) => Health::Up,
        }
    }
}

#[cfg(test)]
#[path = "broker_test.rs"]
mod test;
