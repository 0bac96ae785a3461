//! The trait that both backends implement.

use crate::{Delivery, Publication, Result};

/// What a queue is for; its arguments follow from it and from the hub's topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueKind {
    /// Starts and events from other systems: single active consumer, bound to the ingress exchange.
    Ingress,
    /// A partition's messages.
    Control,
    /// Work items.
    Work,
    /// Work items of which only so many may run at a time: a single active consumer.
    LimitedWork,
    /// How far a binding has read its stream, or who serves the lanes of a work-item queue: a single active consumer.
    Baton,
    /// What nobody could understand or handle.
    Dead,
}

/// A queue of a hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueSpec {
    /// Its full name.
    pub name: String,
    /// What it is for.
    pub kind: QueueKind,
}

/// What became of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The broker has taken responsibility for it.
    Confirmed,
    /// No queue took it (the queue is missing). Declare the queue and publish it again.
    Returned,
    /// The broker refused it (a queue that is full), or can't carry it. Publish it again later.
    Refused(String),
    /// The channel broke before the confirm: the broker may or may not have it. Publish it again.
    Lost(String),
}

/// How a broker is reached at the moment, for readiness and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not reached yet, or lost; says why.
    Down(String),
    /// Reached, but the broker takes no messages at the moment (its memory or disk alarm).
    Blocked(String),
    /// Reached, and some messages are refused: a queue is full, say, or what they need beside the broker is away.
    Refusing(String),
    /// Reached.
    Up,
}

/// A broker, or a twin of one. Cheap to clone. It connects when first used and again, with backoff, after a loss;
/// consumers and publishers of a lost connection fail and are asked for anew.
pub trait Broker: Clone + Send + Sync + 'static {
    /// Receives from one queue, on a channel of its own.
    type Consumer: Consumer;
    /// Publishes, on a channel of its own with confirms.
    type Publisher: Publisher;
    /// Publishes and receives the answers on one channel (direct reply-to).
    type Requester: Requester;

    /// Makes sure that a queue exists (with its exchanges and bindings): looks passively, declares what is absent. A
    /// queue with other arguments than expected is used as it is, with a warning that names them.
    fn declare(&self, queue: &QueueSpec) -> impl Future<Output = Result<()>> + Send;

    /// Begins to consume a queue; at most `prefetch` deliveries are unacknowledged at a time.
    fn consume(&self, queue: &str, prefetch: u16) -> impl Future<Output = Result<Self::Consumer>> + Send;

    /// Returns a publisher.
    fn publisher(&self) -> impl Future<Output = Result<Self::Publisher>> + Send;

    /// Returns a requester.
    fn requester(&self) -> impl Future<Output = Result<Self::Requester>> + Send;

    /// Returns how the broker is reached at the moment.
    fn health(&self) -> Health;
}

/// The receiving end of one queue. Dropping it closes its channel, which requeues what is unacknowledged.
pub trait Consumer: Send + 'static {
    /// Acknowledges from elsewhere.
    type Acker: Acker;

    /// Waits for a delivery, then takes whatever else has arrived, at most `max`. Never empty. `None`: the channel is
    /// lost, or the consumer was cancelled and every delivery before that has been taken.
    fn next(&mut self, max: usize) -> impl Future<Output = Option<Vec<Delivery>>> + Send;

    /// Returns the handle that acknowledges this consumer's deliveries, and cancels it as it is now.
    fn acker(&self) -> Self::Acker;

    /// Consumes again, once [`next`](Self::next) has told the end after a [cancel](Acker::cancel): on the same channel, so
    /// that what is unacknowledged stays so. Fails if the channel or the queue is lost.
    fn restart(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// Returns whether the channel is still there: of a cancelled consumer nothing else tells.
    fn is_open(&self) -> bool;
}

/// Acknowledges deliveries of one consumer. Cheap to clone. After the channel is lost its methods do nothing.
pub trait Acker: Clone + Send + Sync + 'static {
    /// Acknowledges one delivery or, with `multiple`, every one up to it.
    fn ack(&self, tag: u64, multiple: bool) -> impl Future<Output = Result<()>> + Send;

    /// Gives one delivery back to its queue.
    fn requeue(&self, tag: u64) -> impl Future<Output = Result<()>> + Send;

    /// Asks for no further deliveries; those that are unacknowledged stay so.
    fn cancel(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Publishes with confirms. Cheap to clone; clones share the channel.
pub trait Publisher: Clone + Send + Sync + 'static {
    /// Publishes all, in order and without waiting in between, and returns what became of each once that is known.
    fn publish(&self, batch: Vec<Publication>) -> impl Future<Output = Vec<Published>> + Send;

    /// Publishes one; fails, and says why, unless the broker confirms it.
    fn publish_one(&self, publication: Publication) -> impl Future<Output = Result<(), String>> + Send {
        async {
            match self.publish(vec![publication]).await.pop() {
                Some(Published::Confirmed) => Ok(()),
                Some(Published::Returned) => Err("it is missing".into()),
                Some(Published::Refused(why) | Published::Lost(why)) => Err(why),
                None => Err("no answer".into()),
            }
        }
    }
}

/// Sends requests whose answers come back on the same channel, at most once.
pub trait Requester: Send + Sync + 'static {
    /// Publishes one request; its `reply_to` is filled in.
    fn send(&self, request: Publication) -> impl Future<Output = Published> + Send;

    /// Waits for the next answer to any request. `None`: the channel is lost.
    fn next(&self) -> impl Future<Output = Option<Delivery>> + Send;
}
