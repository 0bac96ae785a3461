//! As any other system does: plain AMQP to the hub's ingress, outcomes by direct reply-to.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use anyhow::{Context, bail, ensure};
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use tokio::{sync::oneshot, time::timeout};
use uuid::Uuid;
use warren_model::Payload;

use super::{Starter, WITHIN};

const DIRECT: &str = "amq.rabbitmq.reply-to";
/// Written to disk.
const PERSISTENT: u8 = 2;

/// Who waits for which outcome, by correlation id.
type Waiting = Rc<RefCell<HashMap<String, oneshot::Sender<Delivery>>>>;

/// The other system, in a runtime of one thread.
pub(super) struct Ingress {
    _connection: Connection,
    channel: Channel,
    exchange: String,
    waiting: Waiting,
    last: Cell<u64>,
}

impl Ingress {
    pub(super) async fn connect(broker: &str, hub: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let outcomes = channel.basic_consume(DIRECT.into(), "".into(), options, FieldTable::default()).await?;
        let waiting = Waiting::default();
        tokio::task::spawn_local(receive(outcomes, waiting.clone()));
        let exchange = format!("{hub}.ingress");
        Ok(Self { _connection: connection, channel, exchange, waiting, last: Cell::new(0) })
    }
}

impl Starter for Ingress {
    async fn run(&self, name: &str, input: Payload) -> anyhow::Result<Payload> {
        self.last.set(self.last.get() + 1);
        let id = self.last.get().to_string();
        let (sender, outcome) = oneshot::channel();
        self.waiting.borrow_mut().insert(id.clone(), sender);
        let properties = BasicProperties::default()
            .with_message_id(Uuid::new_v4().to_string().into())
            .with_correlation_id(id.into())
            .with_reply_to(DIRECT.into())
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, key, body) = (self.exchange.as_str(), format!("start.{name}"), input.as_str().as_bytes());
        let confirm = self.channel.basic_publish(exchange.into(), key.into(), options, body, properties).await?;
        match confirm.await? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => bail!("no queue took a start"),
            Confirmation::Nack(_) | Confirmation::NotRequested => bail!("the broker did not take a start"),
        }
        let outcome = timeout(WITHIN, outcome).await.context("an outcome did not come in time")??;
        let kind = outcome.properties.kind().as_ref().map(ToString::to_string).unwrap_or_default();
        ensure!(kind == "result", "an instance ended with {kind}: {}", String::from_utf8_lossy(&outcome.data));
        Ok(Payload::from_bytes(&outcome.data)?)
    }
}

async fn receive(mut outcomes: lapin::Consumer, waiting: Waiting) {
    while let Some(Ok(delivery)) = outcomes.next().await {
        let id = delivery.properties.correlation_id().as_ref().map(ToString::to_string).unwrap_or_default();
        let waits = waiting.borrow_mut().remove(&id);
        // One that nobody waits for is a duplicate; whoever still waits hears of the end when the senders go.
        if let Some(waits) = waits {
            let _ = waits.send(delivery);
        }
    }
    waiting.borrow_mut().clear();
}
