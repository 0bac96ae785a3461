//! Another system: plain AMQP to the hub's ingress, answers on a queue of its own.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::Delivery,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, LongString},
};
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use warren_chaos_checker::Told;

use super::{Attempt, Notes, Order, StartOrder, answered, body, bytes, event_name};
use crate::{fleet::HUB, plan::Deed};

/// The queue of the answers; not one of the hub's.
const ANSWERS: &str = "storm-answers";
/// How long the broker may take to confirm.
const CONFIRM: Duration = Duration::from_secs(5);
/// How long a lost connection rests before it is opened again.
const RECONNECT: Duration = Duration::from_millis(300);

/// The other system. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ingress {
    url: Arc<str>,
    open: Arc<Mutex<Option<(Connection, Channel)>>>,
}

impl Ingress {
    /// Returns the system; it connects when it is used, and listens for answers from now on.
    pub(super) fn connect(url: &str, notes: Notes) -> Self {
        // Ends with the runtime.
        tokio::spawn(listen(url.to_owned(), notes));
        Self { url: url.into(), open: Arc::default() }
    }

    pub(super) async fn start(&self, order: &StartOrder<'_>) -> Attempt<()> {
        let case = &order.script.case;
        let mut headers = FieldTable::default();
        if let Some(id) = &case.instance {
            headers.insert("instance-id".into(), text(id));
        }
        headers.insert("answer".into(), text(if order.wants_outcome { "outcome" } else { "accepted" }));
        let properties = properties(&case.message, headers);
        self.publish(&format!("start.{}", case.orchestrator), properties, &bytes(&order.script.input)).await
    }

    pub(super) async fn send(&self, order: &Order<'_>) -> Attempt<()> {
        let Deed::Raise(signal) = order.deed else {
            return Attempt::Refused("AMQP takes starts and events only".into());
        };
        let mut headers = FieldTable::default();
        headers.insert("instance-id".into(), text(order.instance));
        headers.insert("answer".into(), text("accepted"));
        self.publish(&format!("raise.{}", event_name()), properties(order.message, headers), &body(signal)).await
    }

    async fn publish(&self, key: &str, properties: BasicProperties, body: &[u8]) -> Attempt<()> {
        let send = async {
            let channel = self.channel().await?;
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let exchange = format!("{HUB}.ingress");
            let confirm = channel.basic_publish(exchange.into(), key.into(), options, body, properties).await?;
            anyhow::Ok(confirm.await?)
        };
        match timeout(CONFIRM, send).await {
            Ok(Ok(Confirmation::Ack(None))) => Attempt::Done(()),
            Ok(Ok(_)) => Attempt::Again("ingress returned or refused".into()),
            Ok(Err(_)) => Attempt::Again("ingress connection lost".into()),
            Err(_) => Attempt::Again("ingress no confirm".into()),
        }
    }

    async fn channel(&self) -> anyhow::Result<Channel> {
        let mut open = self.open.lock().await;
        if let Some((_, channel)) = open.as_ref().filter(|(_, channel)| channel.status().connected()) {
            return Ok(channel.clone());
        }
        *open = None;
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        *open = Some((connection, channel.clone()));
        Ok(channel)
    }
}

fn properties(message: &str, headers: FieldTable) -> BasicProperties {
    BasicProperties::default()
        .with_message_id(message.into())
        .with_correlation_id(message.into())
        .with_reply_to(ANSWERS.into())
        .with_delivery_mode(2)
        .with_headers(headers)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// Writes down every answer, for as long as the run lasts.
async fn listen(url: String, notes: Notes) {
    loop {
        if let Err(error) = receive(&url, &notes).await {
            tracing::debug!(%error, "answers are interrupted");
        }
        sleep(RECONNECT).await;
    }
}

async fn receive(url: &str, notes: &Notes) -> anyhow::Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(500, BasicQosOptions::default()).await?;
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(ANSWERS.into(), options, FieldTable::default()).await?;
    let consuming = BasicConsumeOptions::default();
    let mut answers = channel.basic_consume(ANSWERS.into(), "".into(), consuming, FieldTable::default()).await?;
    while let Some(delivery) = answers.next().await {
        let delivery = delivery?;
        if let Err(error) = note(&delivery, notes) {
            notes.refused(format!("an answer makes no sense: {error:#}"));
        }
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

fn note(delivery: &Delivery, notes: &Notes) -> anyhow::Result<()> {
    let properties = &delivery.properties;
    let message = properties.correlation_id().as_ref().context("it has no correlation id")?.to_string();
    let kind = properties.kind().as_ref().context("it has no type")?.to_string();
    let body: Value = serde_json::from_slice(&delivery.data)?;
    let header = |name: &str| -> anyhow::Result<String> {
        let headers = properties.headers().as_ref();
        match headers.and_then(|headers| headers.inner().get(name)) {
            Some(AMQPValue::LongString(text)) => Ok(text.to_string()),
            Some(AMQPValue::ShortString(text)) => Ok(text.to_string()),
            other => anyhow::bail!("header {name} is {other:?}"),
        }
    };
    match kind.as_str() {
        "result" | "failure" => {
            notes.told(Told { message, instance: header("instance-id")?, status: header("status")?, body });
        }
        "accepted" if message.contains("-start-") => {
            let field = |name: &str| body[name].as_str().map(ToOwned::to_owned);
            notes.answered(answered(&message, field("instance").context("no instance")?, field("execution")));
        }
        "accepted" => {}
        _ => notes.refused(format!("{message}: {kind} by AMQP: {body}")),
    }
    Ok(())
}
