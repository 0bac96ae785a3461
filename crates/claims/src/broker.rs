//! The broker around the broker.

use std::sync::Arc;

use warren_broker::{Broker, Health, QueueSpec, Result, Topology};
use warren_store::Payloads;

use crate::{ClaimingConsumer, ClaimingPublisher, ClaimingRequester, counter::Counter, trouble::Trouble};

/// A broker whose large payloads travel by the payload store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Claiming<B, P> {
    broker: B,
    payloads: P,
    topology: Arc<Topology>,
    trouble: Trouble,
}

impl<B: Broker, P: Payloads> Claiming<B, P> {
    /// Returns `broker` with large payloads in `payloads`; `topology` says what is large, and who takes claims.
    pub fn new(broker: B, payloads: P, topology: Topology) -> Self {
        Self { broker, payloads, topology: Arc::new(topology), trouble: Trouble::default() }
    }
}

impl<B, P: Clone> Claiming<B, P> {
    fn counter(&self) -> Counter<P> {
        let (payloads, topology, trouble) = (self.payloads.clone(), self.topology.clone(), self.trouble.clone());
        Counter { payloads, topology, trouble }
    }
}

impl<B: Broker, P: Payloads> Broker for Claiming<B, P> {
    type Consumer = ClaimingConsumer<B::Consumer, P>;
    type Publisher = ClaimingPublisher<B::Publisher, P>;
    type Requester = ClaimingRequester<B::Requester, P>;

    async fn declare(&self, queue: &QueueSpec) -> Result<()> {
        self.broker.declare(queue).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Self::Consumer> {
        let consumer = self.broker.consume(queue, prefetch).await?;
        Ok(ClaimingConsumer::new(consumer, queue, self.counter()))
    }

    async fn publisher(&self) -> Result<Self::Publisher> {
        let publisher = self.broker.publisher().await?;
        Ok(ClaimingPublisher::new(publisher, self.counter()))
    }

    async fn requester(&self) -> Result<Self::Requester> {
        let requester = self.broker.requester().await?;
        Ok(ClaimingRequester::new(requester, self.counter()))
    }

    /// As the broker is; of one that is well, that the payload store is not.
    fn health(&self) -> Health {
        match self.broker.health() {
            Health::Up => self.trouble.why().map_or(Health::Up, Health::Refusing),
            worse @ (Health::Refusing(_) | Health::Blocked(_) | Health::Down(_)) => worse,
        }
    }
}
