//! Another system on the broker for tests: a queue or a stream, whose messages a process takes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable, LongString},
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use warren_service::{
    Settings,
    settings::{BindingSettings, MappingSettings, QueueBindingSettings, StreamBindingSettings},
};
use warren_testing::amqp_url;

use crate::{
    Consumers,
    testing::{DEADLINE, Stack},
};

/// Another system: a queue whose dead letters go to a second one. The hub has the name of the queue.
pub(crate) struct System {
    pub(crate) queue: String,
    pub(crate) dead: String,
    channel: Channel,
    connection: Connection,
}

impl System {
    /// Connects, and declares nothing yet.
    pub(crate) async fn new() -> Self {
        let connection = Connection::connect(amqp_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("test-{}", Uuid::new_v4().simple());
        Self { dead: format!("{queue}-dead"), queue, channel, connection }
    }

    pub(crate) async fn declared() -> Self {
        let system = Self::new().await;
        system.declare().await;
        system
    }

    pub(crate) async fn declare(&self) {
        let mut arguments = FieldTable::default();
        let text = |text: &str| AMQPValue::LongString(LongString::from(text));
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(&self.dead));
        let options = QueueDeclareOptions::default();
        self.channel.queue_declare(self.queue.as_str().into(), options, arguments).await.unwrap();
        self.channel.queue_declare(self.dead.as_str().into(), options, FieldTable::default()).await.unwrap();
    }

    pub(crate) async fn send(&self, body: &str, id: Option<&str>) {
        let mut properties = BasicProperties::default();
        if let Some(id) = id {
            properties = properties.with_message_id(id.into());
        }
        let options = BasicPublishOptions::default();
        let sent =
            self.channel.basic_publish("".into(), self.queue.as_str().into(), options, body.as_bytes(), properties);
        sent.await.unwrap();
    }

    /// Waits for the next message of the queue for dead letters.
    pub(crate) async fn next_dead(&self) -> BasicGetMessage {
        let next = async {
            loop {
                let options = BasicGetOptions { no_ack: true };
                if let Some(message) = self.channel.basic_get(self.dead.as_str().into(), options).await.unwrap() {
                    return message;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, next).await.expect("a message is put aside")
    }

    /// Waits until so many messages are in the queue that nobody holds.
    pub(crate) async fn holds(&self, count: u32) {
        let holds = async {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let count_now = async || {
                let queue = self.channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default());
                queue.await.unwrap().message_count()
            };
            while count_now().await != count {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, holds).await.expect("the queue holds as many");
    }

    /// Connects, and declares the queue as a stream.
    pub(crate) async fn streamed() -> Self {
        let system = Self::new().await;
        system.declare_stream().await;
        system
    }

    pub(crate) async fn declare_stream(&self) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("stream".into()));
        let (durable, plain) = (QueueDeclareOptions::durable(), QueueDeclareOptions::default());
        self.channel.queue_declare(self.queue.as_str().into(), durable, arguments).await.unwrap();
        self.channel.queue_declare(self.dead.as_str().into(), plain, FieldTable::default()).await.unwrap();
    }

    pub(crate) async fn delete_stream(&self) {
        self.channel.queue_delete(self.queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    }

    fn source(&self) -> QueueBindingSettings {
        let (start, instance) = ("ship".into(), "{/order}".into());
        QueueBindingSettings {
            queue: self.queue.clone(),
            mapping: MappingSettings { start, instance, ..MappingSettings::default() },
            ..QueueBindingSettings::default()
        }
    }

    async fn serve(&self, binding: BindingSettings) -> Stack {
        let mut settings = Settings::default();
        settings.hub.name.clone_from(&self.queue);
        settings.broker.url = amqp_url().into();
        settings.bindings.insert("orders".into(), binding);
        Stack::start(Consumers::new(&settings, "test").unwrap()).await
    }

    /// Starts a process that takes the queue's messages.
    pub(crate) async fn bound(&self, change: impl FnOnce(&mut QueueBindingSettings)) -> Stack {
        let mut binding = self.source();
        change(&mut binding);
        self.serve(BindingSettings::Queue(binding)).await
    }

    /// Starts a process that reads the stream from its first message on.
    pub(crate) async fn read(&self, change: impl FnOnce(&mut StreamBindingSettings)) -> Stack {
        let mut binding = StreamBindingSettings { from: "first".into(), source: self.source() };
        change(&mut binding);
        self.serve(BindingSettings::Stream(binding)).await
    }

    pub(crate) async fn delete(self) {
        let Self { queue, dead, .. } = &self;
        for queue in [queue, dead, &format!("{queue}.binding.orders"), &format!("{queue}.dead")] {
            self.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
        self.connection.close(200, "done".into()).await.unwrap();
    }
}
