//! A real RabbitMQ: the repository's own node, or the one that `WARREN_TEST_AMQP` names.

use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use uuid::Uuid;
use warren_testing::amqp_url;

use super::Backend;
use crate::{
    QueueType, Topology,
    amqp::{Amqp, AmqpConfig},
};

/// A hub with a name of its own on a RabbitMQ.
pub(crate) struct Rabbit {
    broker: Amqp,
    topology: Topology,
    hand: Connection,
}

impl Rabbit {
    pub(crate) async fn quorum() -> Self {
        Self::open(amqp_url(), topology()).await
    }

    /// A hub on the broker at this address.
    pub(crate) async fn at(url: &str) -> Self {
        Self::open(url, topology()).await
    }

    pub(crate) async fn classic() -> Self {
        Self::open(amqp_url(), topology().with_queue_type(QueueType::Classic)).await
    }

    pub(crate) async fn quorum_with_delivery_limit() -> Self {
        Self::open(amqp_url(), topology().with_delivery_limit(2)).await
    }

    async fn open(url: &str, topology: Topology) -> Self {
        let broker = Amqp::connect_lazily(AmqpConfig::new(url, "warren tests", topology.clone())).unwrap();
        let hand = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker answers");
        Self { broker, topology, hand }
    }

    /// Returns a channel for what no service does.
    pub(crate) async fn hand(&self) -> Channel {
        self.hand.create_channel().await.unwrap()
    }

    /// Returns every queue that a case may have made.
    fn queues(&self) -> Vec<String> {
        let topology = &self.topology;
        let work = ["charge", "other", "missing"].map(|name| topology.work(name).unwrap().name);
        let others = [topology.ingress_queue(), topology.dead()].map(|queue| queue.name);
        work.into_iter().chain(others).collect()
    }
}

/// A hub that no other test has.
pub(crate) fn topology() -> Topology {
    Topology::new(&format!("test-{}", Uuid::new_v4().simple())).unwrap()
}

impl Backend for Rabbit {
    type Broker = Amqp;

    fn broker(&self) -> &Amqp {
        &self.broker
    }

    fn topology(&self) -> &Topology {
        &self.topology
    }

    async fn delete(&self, queue: &str) {
        self.hand().await.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn ready(&self, queue: &str) -> usize {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = self.hand().await.queue_declare(queue.into(), passive, FieldTable::default()).await;
        declared.unwrap().message_count().try_into().unwrap()
    }

    async fn close(self) {
        let channel = self.hand().await;
        for queue in self.queues() {
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
        let exchange = self.topology.ingress_exchange();
        channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
}
