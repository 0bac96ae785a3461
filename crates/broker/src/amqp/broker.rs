//! The handle of a broker.

use std::{sync::Arc, time::Instant};

use lapin::types::FieldTable;

use super::{
    AmqpConfig, AmqpConsumer, AmqpPublisher, AmqpRequester, StreamStart, address,
    declare::declare,
    link::{Link, Purpose},
};
use crate::{Broker, Health, QueueSpec, Result};

/// A RabbitMQ broker. Clones share their two connections, which live in the runtime that first used them.
#[derive(Clone, Debug)]
pub struct Amqp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: AmqpConfig,
    /// Where it is, without passwords.
    shown: String,
    receiving: Link,
    sending: Arc<Link>,
}

impl Amqp {
    /// Returns a broker that connects when it is first used; fails only if an address makes no sense.
    pub fn connect_lazily(config: AmqpConfig) -> Result<Self> {
        let nodes = address::read(&config)?;
        let receiving = Link::new(&config, &nodes, Purpose::Receiving);
        let sending = Link::new(&config, &nodes, Purpose::Sending);
        let shown = address::show_all(&nodes);
        Ok(Self(Arc::new(Inner { config, shown, receiving, sending: Arc::new(sending) })))
    }

    /// Returns the broker's address (or addresses), without a password.
    pub fn address(&self) -> &str {
        &self.0.shown
    }

    /// Begins to read a stream; `prefetch` as of [`Broker::consume`]. Each delivery has its offset in the header
    /// [`STREAM_OFFSET`](super::STREAM_OFFSET), as long as the queue is a stream.
    pub async fn read_stream(&self, queue: &str, prefetch: u16, from: StreamStart) -> Result<AmqpConsumer> {
        AmqpConsumer::open(&self.0.receiving, queue, prefetch, from.arguments()).await
    }

    /// Returns the connection on which to look at queues: never a second one for that alone, and rather not the one
    /// that an alarm would block.
    fn spare(&self) -> &Link {
        if !self.0.receiving.is_used() && self.0.sending.is_used() { &self.0.sending } else { &self.0.receiving }
    }
}

impl Broker for Amqp {
    type Consumer = AmqpConsumer;
    type Publisher = AmqpPublisher;
    type Requester = AmqpRequester;

    async fn declare(&self, queue: &QueueSpec) -> Result<()> {
        declare(self.spare(), &self.0.config.topology, queue).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<AmqpConsumer> {
        AmqpConsumer::open(&self.0.receiving, queue, prefetch, FieldTable::default()).await
    }

    async fn publisher(&self) -> Result<AmqpPublisher> {
        AmqpPublisher::open(&self.0.sending, &self.0.config).await
    }

    async fn requester(&self) -> Result<AmqpRequester> {
        AmqpRequester::open(&self.0.sending, &self.0.config).await
    }

    fn health(&self) -> Health {
        let used = [&self.0.receiving, &*self.0.sending].into_iter().filter_map(Link::health);
        let unused = Health::Down(format!("not connected to {} yet", self.address()));
        match used.max_by_key(severity).unwrap_or(unused) {
            Health::Up => self.0.sending.full().which(Instant::now()).map_or(Health::Up, |queue| {
                Health::Refusing(format!("queue {queue} takes no messages: it may be full, or have no leader"))
            }),
            worse @ (Health::Refusing(_) | Health::Blocked(_) | Health::Down(_)) => worse,
        }
    }
}

fn severity(health: &Health) -> u8 {
    match health {
        Health::Up => 0,
        Health::Refusing(_) => 1,
        Health::Blocked(_) => 2,
        Health::Down(_) => 3,
    }
}

#[cfg(test)]
#[path = "broker_test.rs"]
mod test;
