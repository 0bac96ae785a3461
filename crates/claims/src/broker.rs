//! The broker around the broker.

use std::sync::Arc;

use warren_broker::{Broker, Health, QueueSpec, Result, Topology};
use warren_store::Payloads;

use crate::{ClaimingConsumer, ClaimingPublisher, ClaimingRequester};

/// A broker whose large payloads travel by the payload store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Claiming<B, P> {
    broker: B,
    payloads: P,
    topology: Arc<Topology>,
}

impl<B: Broker, P: Payloads> Claiming<B, P> {
    /// Returns `broker` with large payloads in `payloads`; `topology` says what is large, and who takes claims.
    pub fn new(broker: B, payloads: P, topology: Topology) -> Self {
        Self { broker, payloads, topology: Arc::new(topology) }
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
        Ok(ClaimingConsumer::new(consumer, queue, self.payloads.clone(), self.topology.clone()))
    }

    async fn publisher(&self) -> Result<Self::Publisher> {
        let publisher = self.broker.publisher().await?;
        Ok(ClaimingPublisher::new(publisher, self.payloads.clone(), self.topology.clone()))
    }

    async fn requester(&self) -> Result<Self::Requester> {
        let requester = self.broker.requester().await?;
        Ok(ClaimingRequester::new(requester, self.payloads.clone(), self.topology.clone()))
    }

    fn health(&self) -> Health {
        self.broker.health()
    }
}
