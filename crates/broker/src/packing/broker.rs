//! The broker around the broker.

use std::sync::Arc;

use super::{PackingConsumer, PackingPublisher, PackingRequester, back::Back, consumer::Contents, pace::SharedPace};
use crate::{Broker, Health, QueueSpec, Result, Topology};

/// A broker whose messages travel in packs where their receivers take them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Packing<B> {
    broker: B,
    topology: Arc<Topology>,
    pace: SharedPace,
}

impl<B: Broker> Packing<B> {
    /// Returns `broker` with packs. Its publishers and requesters must be made within a tokio runtime.
    pub fn new(broker: B, topology: Topology) -> Self {
        let topology = Arc::new(topology);
        Self { broker, pace: SharedPace::new(topology.clone()), topology }
    }
}

impl<B: Broker> Broker for Packing<B> {
    type Consumer = PackingConsumer<B>;
    type Publisher = PackingPublisher;
    type Requester = PackingRequester<B::Requester>;

    async fn declare(&self, queue: &QueueSpec) -> Result<()> {
        self.broker.declare(queue).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Self::Consumer> {
        let consumer = self.broker.consume(queue, prefetch).await?;
        let contents = match self.topology.queue_of_work(queue) {
            Some(_) => Contents::Work(Back::new(self.broker.clone())),
            None if !self.topology.is_inner_queue(queue) => Contents::Foreign,
            None => Contents::Ours(self.topology.partition_of_control(queue).map(|_| self.pace.clone())),
        };
        Ok(PackingConsumer::new(consumer, prefetch, contents))
    }

    async fn publisher(&self) -> Result<Self::Publisher> {
        Ok(PackingPublisher::new(self.broker.publisher().await?, self.pace.clone()))
    }

    async fn requester(&self) -> Result<Self::Requester> {
        Ok(PackingRequester::new(self.broker.requester().await?, self.pace.clone()))
    }

    fn health(&self) -> Health {
        self.broker.health()
    }
}
