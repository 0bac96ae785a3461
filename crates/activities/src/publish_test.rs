use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    message::BasicGetMessage,
    options::{BasicGetOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::{Value, json};
use uuid::Uuid;
use warren_testing::amqp_url;

use super::*;
use crate::testing::{TRACE, task};

/// An exchange that no other test has, and a queue of it.
struct Place {
    exchange: String,
    queue: String,
    channel: Channel,
    _connection: Connection,
}

impl Place {
    /// Makes a topic exchange; its queue takes `order.*`, and `max` messages.
    async fn new(max: Option<i32>) -> Self {
        let connection = Connection::connect(amqp_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let exchange = format!("test-{}", Uuid::new_v4().simple());
        let declare = ExchangeDeclareOptions::default();
        channel
            .exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, declare, FieldTable::default())
            .await
            .unwrap();
        let mut arguments = FieldTable::default();
        if let Some(max) = max {
            arguments.insert("x-max-length".into(), AMQPValue::LongInt(max));
            arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        }
        let own = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), own, arguments).await.unwrap().name().to_string();
        let (bind, none) = (QueueBindOptions::default(), FieldTable::default());
        channel
            .queue_bind(queue.as_str().into(), exchange.as_str().into(), "order.*".into(), bind, none)
            .await
            .unwrap();
        Self { exchange, queue, channel, _connection: connection }
    }

    fn settings(&self) -> PublishSettings {
        PublishSettings {
            exchange: self.exchange.clone(),
            routing_key: "order.{/kind}".into(),
            ..PublishSettings::default()
        }
    }

    async fn next(&self) -> Option<BasicGetMessage> {
        let options = BasicGetOptions { no_ack: true };
        self.channel.basic_get(self.queue.as_str().into(), options).await.unwrap()
    }

    async fn delete(self) {
        let options = ExchangeDeleteOptions::default();
        self.channel.exchange_delete(self.exchange.as_str().into(), options).await.unwrap();
    }
}

fn publish(settings: &PublishSettings) -> Publish {
    let mut process = Settings::default();
    process.broker.url = amqp_url().into();
    Publish::new("announce", settings, &process, &mut Brokers::default()).unwrap()
}

async fn run(settings: &PublishSettings, input: &Value) -> Result<Payload, Failure> {
    publish(settings).run(&task(input)).await
}

fn header(properties: &BasicProperties, name: &str) -> String {
    let table = properties.headers().clone().unwrap();
    table.inner().get(name).and_then(|value| value.as_long_string()).unwrap().to_string()
}

#[tokio::test]
async fn a_message_is_what_the_settings_say_and_persistent_under_the_key_of_the_call() {
    let place = Place::new(None).await;
    let settings =
        PublishSettings { headers: vec!["x-kind: {/kind}".into()], body: "/order".into(), ..place.settings() };
    assert_eq!(run(&settings, &json!({"kind": "paid", "order": {"id": 7}})).await, Ok(Payload::null()));
    let message = place.next().await.unwrap();
    assert_eq!((message.routing_key.as_str(), &message.data[..]), ("order.paid", &br#"{"id":7}"#[..]));
    let properties = &message.properties;
    assert_eq!(properties.message_id().as_ref().unwrap().as_str(), "order-7:3");
    assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/json");
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert_eq!((header(properties, "x-kind"), header(properties, "traceparent")), ("paid".into(), TRACE.into()));
    place.delete().await;
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_unroutable() {
    let place = Place::new(None).await;
    let settings = PublishSettings { routing_key: "parcel.{/kind}".into(), ..place.settings() };
    let failure = run(&settings, &json!({"kind": "paid"})).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("publish_unroutable", true));
    place.delete().await;
}

#[tokio::test]
async fn a_missing_exchange_is_refused_and_the_next_message_gets_through() {
    let place = Place::new(None).await;
    let input = json!({"kind": "paid"});
    let missing = publish(&PublishSettings { exchange: "of-nobody-at-all".into(), ..place.settings() });
    let failure = missing.run(&task(&input)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("publish_refused", true));
    assert!(failure.message.starts_with("NOT_FOUND - no exchange 'of-nobody-at-all'"), "{failure}");
    let there = Publish { exchange: place.exchange.clone(), ..missing };
    assert_eq!(there.run(&task(&input)).await, Ok(Payload::null()));
    assert!(place.next().await.is_some());
    place.delete().await;
}

#[tokio::test]
async fn what_a_full_queue_does_not_take_is_refused() {
    let place = Place::new(Some(1)).await;
    let input = json!({"kind": "paid"});
    assert_eq!(run(&place.settings(), &input).await, Ok(Payload::null()));
    let failure = run(&place.settings(), &input).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("publish_refused", true));
    place.delete().await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_unreachable() {
    let settings = PublishSettings {
        url: "amqp://127.0.0.1:1/%2f".into(),
        exchange: "orders".into(),
        timeout_seconds: 1,
        ..PublishSettings::default()
    };
    let failure = run(&settings, &json!(null)).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retryable), ("publish_unreachable", true));
    assert!(failure.message.contains("127.0.0.1:1"), "{failure}");
}

#[tokio::test]
async fn an_input_that_fits_no_key_is_refused() {
    let settings = PublishSettings { exchange: "x".into(), routing_key: "{/key}".into(), ..PublishSettings::default() };
    let failure = run(&settings, &json!({"key": "x".repeat(256)})).await.unwrap_err();
    let why = "routing_key: it has 256 bytes, AMQP allows 255";
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, why));
    let failure = run(&settings, &json!({})).await.unwrap_err();
    assert_eq!(failure, Failure::permanent(code::INVALID_INPUT, "routing_key: {/key} is missing"));
}

#[test]
fn brokers_with_the_same_address_share_a_connection_and_a_wrong_one_is_refused_by_name() {
    let (process, mut brokers) = (Settings::default(), Brokers::default());
    let mut publish = |url: &str| {
        let settings = PublishSettings { url: url.into(), ..PublishSettings::default() };
        Publish::new("announce", &settings, &process, &mut brokers).map(drop)
    };
    publish("").unwrap();
    publish("amqp://guest:guest@127.0.0.1:5672/%2f").unwrap();
    let refused = publish("amqp://u:hunter2@:port/v").unwrap_err().to_string();
    assert!(refused.starts_with("serve activities.announce: its setting url is wrong"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    assert_eq!(brokers.0.len(), 1);
}
