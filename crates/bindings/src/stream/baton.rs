//! Our end of the queue that keeps a binding's place in its stream.
//!
//! The queue has a single active consumer, so whoever gets the batons that are in it reads the stream, and nobody else. It
//! holds the one with the furthest place, and acknowledges the others. A new place is a new baton: once that arrives, the
//! old one is acknowledged. So at every moment there is one in the queue or in a hand that the broker watches.

use std::{
    cmp::Reverse,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::time::timeout;
use warren_broker::{
    Acker, Address, Broker, Consumer, Delivery, Publication, Publisher, QueueSpec,
    amqp::{Amqp, AmqpAcker, AmqpConsumer, AmqpPublisher},
};

use super::place::Place;

/// How many batons to be given at a time: each start of a process leaves one.
const BATONS: u16 = 100;
/// How long to wait for further batons once one is there: a place that is not the furthest means to read much again.
const SETTLE: Duration = Duration::from_millis(250);
/// How long to hold one: well below the half hour that RabbitMQ leaves a delivery unacknowledged.
const RENEW: Duration = Duration::from_mins(5);

/// Our end of a queue of batons.
#[derive(Debug)]
pub(super) struct Baton {
    queue: String,
    consumer: AmqpConsumer,
    acker: AmqpAcker,
    publisher: AmqpPublisher,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    tag: u64,
    place: Place,
    since: Instant,
}

impl Baton {
    /// Sees to it that there is a baton, and asks for it.
    pub(super) async fn ask(hub: &Amqp, queue: &QueueSpec) -> Result<Self, String> {
        let failed = |error: warren_broker::Error| error.to_string();
        hub.declare(queue).await.map_err(failed)?;
        let publisher = hub.publisher().await.map_err(failed)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let consumer = hub.consume(&queue.name, BATONS).await.map_err(failed)?;
        let baton = Self { queue: queue.name.clone(), acker: consumer.acker(), consumer, publisher, held: None };
        baton.keep(Place::Unread(Reverse(now))).await?;
        Ok(baton)
    }

    /// Waits until the broker gives us the baton, which is when nobody else has it; returns the place. May be dropped, and
    /// asked for again.
    pub(super) async fn take(&mut self) -> Result<Place, String> {
        while self.held.is_none() {
            let batons = self.next().await?;
            self.sort(batons).await?;
        }
        while let Ok(more) = timeout(SETTLE, self.next()).await {
            self.sort(more?).await?;
        }
        Ok(self.held.as_ref().expect("who has taken a baton holds one").place)
    }

    /// Waits for further batons: our own, and those of other processes that have started. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Result<Vec<Delivery>, String> {
        self.consumer.next(BATONS.into()).await.ok_or_else(|| format!("queue {} is lost", self.queue))
    }

    /// Holds the baton with the furthest place, the newest of those, and acknowledges the others. Returns the place.
    pub(super) async fn sort(&mut self, batons: Vec<Delivery>) -> Result<Option<Place>, String> {
        for Delivery { tag, message, .. } in batons {
            let done = match (Place::read(&message), &self.held) {
                (None, _) => {
                    tracing::warn!(queue = self.queue, "dropped a message that is no baton");
                    Some(tag)
                }
                (Some(place), Some(held)) if place < held.place => Some(tag),
                (Some(place), _) => {
                    let held = self.held.replace(Held { tag, place, since: Instant::now() });
                    held.map(|before| before.tag)
                }
            };
            if let Some(tag) = done {
                self.acker.ack(tag, false).await.map_err(|error| error.to_string())?;
            }
        }
        Ok(self.held.as_ref().map(|held| held.place))
    }

    /// Returns the place to publish, if we are at `here`: a further one, or the same because it was held for long.
    pub(super) fn due(&self, here: Place) -> Option<Place> {
        self.held.as_ref()?.due(here, Instant::now())
    }

    /// Publishes a baton. Its arrival makes it the one that is held.
    pub(super) fn keep(&self, place: Place) -> impl Future<Output = Result<(), String>> + use<> {
        let (publisher, queue) = (self.publisher.clone(), self.queue.clone());
        async move {
            let to = Address::Queue(queue.as_str().into());
            let publication = Publication { to, mandatory: true, packs: false, message: place.message() };
            publisher.publish_one(publication).await.map_err(|why| format!("queue {queue} takes no baton: {why}"))
        }
    }
}

impl Held {
    fn due(&self, here: Place, now: Instant) -> Option<Place> {
        let is_old = now.saturating_duration_since(self.since) >= RENEW;
        (here > self.place || is_old).then_some(here.max(self.place))
    }
}

#[cfg(test)]
#[path = "baton_test.rs"]
mod test;
