//! RabbitMQ as another system sees it: plain AMQP, no code of Warren's.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind,
    message::BasicGetMessage,
    options::{
        BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use warren_testing::amqp_url;

/// A channel of another system.
pub struct Amqp {
    channel: Channel,
    connection: Connection,
}

impl Amqp {
    /// Connects.
    pub async fn connect() -> Self {
        Self::connect_to(amqp_url()).await
    }

    /// Connects to this broker.
    pub async fn connect_to(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        Self { channel, connection }
    }

    /// Declares a queue of this connection's own and returns its name.
    pub async fn own_queue(&self) -> String {
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare("".into(), options, FieldTable::default()).await.unwrap();
        queue.name().as_str().into()
    }

    /// Declares a queue that anybody may consume; [`Self::delete`] removes it.
    pub async fn declare(&self, queue: &str) {
        let options = QueueDeclareOptions::default();
        self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    }

    /// Declares a stream; [`Self::delete`] removes it.
    pub async fn declare_stream(&self, stream: &str) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("stream".into()));
        self.channel.queue_declare(stream.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
    }

    /// Declares a topic exchange and a queue of this connection's own that takes these keys; returns the queue's name.
    pub async fn bound_queue(&self, exchange: &str, keys: &str) -> String {
        let (options, none) = (ExchangeDeclareOptions::default(), FieldTable::default());
        self.channel.exchange_declare(exchange.into(), ExchangeKind::Topic, options, none.clone()).await.unwrap();
        let queue = self.own_queue().await;
        let options = QueueBindOptions::default();
        self.channel.queue_bind(queue.as_str().into(), exchange.into(), keys.into(), options, none).await.unwrap();
        queue
    }

    /// Consumes a queue that nobody else may consume then, as if the broker denied them; until what is returned is dropped.
    pub async fn hold(&self, queue: &str) -> (Channel, Consumer) {
        let channel = self.connection.create_channel().await.unwrap();
        let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.unwrap();
        (channel, consumer)
    }

    /// Deletes an exchange.
    pub async fn delete_exchange(&self, exchange: &str) {
        self.channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    }

    /// Deletes a queue.
    pub async fn delete(&self, queue: &str) {
        self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// Publishes.
    pub async fn publish(&self, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions::default();
        self.channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
    }

    /// Publishes to a queue, on a channel of its own, and waits for the broker to confirm it.
    pub async fn publish_confirmed(&self, queue: &str, body: &[u8], properties: BasicProperties) -> lapin::Result<()> {
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), queue.into(), options, body, properties).await?.await?;
        Ok(())
    }

    /// Returns how many messages of a queue wait for a consumer; none if there is no such queue.
    pub async fn count(&self, queue: &str) -> u32 {
        self.look_at(queue).await.map_or(0, |queue| queue.message_count())
    }

    /// Returns how many consumers a queue has; none if there is no such queue.
    pub async fn consumers(&self, queue: &str) -> u32 {
        self.look_at(queue).await.map_or(0, |queue| queue.consumer_count())
    }

    async fn look_at(&self, queue: &str) -> lapin::Result<lapin::Queue> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        // The broker closes the channel if there is none.
        let channel = self.connection.create_channel().await?;
        channel.queue_declare(queue.into(), options, FieldTable::default()).await
    }

    /// Removes what waits in a queue; returns how many messages that was.
    pub async fn purge(&self, queue: &str) -> u32 {
        let channel = self.connection.create_channel().await.unwrap();
        let purged = channel.queue_purge(queue.into(), lapin::options::QueuePurgeOptions::default()).await;
        purged.unwrap_or(0) // the broker closes the channel if there is no such queue
    }

    /// Waits for a message.
    pub async fn get(&self, queue: &str) -> BasicGetMessage {
        let wait = async {
            loop {
                let options = BasicGetOptions { no_ack: true };
                if let Some(message) = self.channel.basic_get(queue.into(), options).await.unwrap() {
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let wait = tokio::time::timeout(Duration::from_secs(30), wait).await;
        wait.unwrap_or_else(|_| panic!("nothing arrives in {queue}"))
    }
}

/// The queues that a test's hub may have besides its control queues.
const QUEUES: &[&str] = &[
    "ingress",
    "dead",
    "binding.boxes",
    "work.greet",
    "work.compute_volume",
    "work.split_text",
    "work.count_words",
    "work.reserve_stock",
    "work.release_stock",
    "work.calculate_tax",
    "work.charge_payment",
    "work.refund_payment",
    "work.ship_parcel",
    "work.unserved",
    "work.remember",
    "work.announce",
    "work.pika",
    "work.aio",
    "work.node",
    "work.shared",
];

/// Deletes everything of a hub, and `queues`, as far as they exist.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn delete_hub(broker: &str, hub: &str, queues: &[String]) {
    let Ok(connection) = Connection::connect(broker, ConnectionProperties::default()).await else { return };
    let control = (0..4).map(|partition| format!("control.{partition:02}"));
    let Ok(channel) = connection.create_channel().await else { return };
    let of_hub = QUEUES.iter().copied().map(ToOwned::to_owned).chain(control).map(|queue| format!("{hub}.{queue}"));
    for queue in of_hub.chain(queues.iter().cloned()) {
        // Deleting a queue that is not there is no error.
        let _ = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
    }
    for exchange in ["ingress", "events"] {
        let options = ExchangeDeleteOptions::default();
        let _ = channel.exchange_delete(format!("{hub}.{exchange}").into(), options).await;
    }
}
