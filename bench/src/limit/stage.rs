//! What consumes, publishes what follows, and acknowledges once that is confirmed.

use anyhow::{Context, bail};
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions},
    types::{FieldTable, ShortString},
};
use tokio::sync::mpsc;

use super::{
    PREFETCH,
    messages::{Messages, Template, read_token},
};

/// Most deliveries that one acknowledgement takes in.
const ACKED_MAX: usize = 200;

/// What follows of a message.
pub(super) struct Next<'a> {
    queue: ShortString,
    properties: BasicProperties,
    template: &'a Template,
}

/// Consumes `queue` for as long as the process lives.
pub(super) async fn relay<'a>(
    channel: Channel,
    queue: &str,
    mut follow: impl FnMut(&Delivery) -> anyhow::Result<Next<'a>>,
) -> anyhow::Result<()> {
    let options = BasicConsumeOptions::default();
    let mut deliveries = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    let (sender, receiver) = mpsc::channel(PREFETCH.into());
    let acknowledging = acknowledge(channel.clone(), receiver);
    let relaying = async {
        crate::driver::say_ready()?;
        while let Some(delivery) = deliveries.next().await {
            let delivery = delivery?;
            let Next { queue, properties, template } = follow(&delivery)?;
            let confirm = publish(&channel, queue, template, properties).await?;
            sender.send((delivery.delivery_tag, confirm)).await.context("the acknowledging half has ended")?;
        }
        bail!("the consumer has ended")
    };
    tokio::try_join!(acknowledging, relaying).map(|((), ())| ())
}

/// Publishes one message of this kind.
pub(super) async fn publish(
    channel: &Channel,
    queue: ShortString,
    template: &Template,
    properties: BasicProperties,
) -> lapin::Result<PublisherConfirm> {
    let options = BasicPublishOptions { mandatory: template.mandatory, ..BasicPublishOptions::default() };
    channel.basic_publish("".into(), queue, options, &template.body, properties).await
}

/// Fails unless the broker has taken the message and some queue too.
pub(super) fn taken(confirmation: Confirmation) -> anyhow::Result<()> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        Confirmation::Ack(Some(_)) => bail!("no queue took a message"),
        Confirmation::Nack(_) | Confirmation::NotRequested => bail!("the broker did not take a message"),
    }
}

async fn acknowledge(channel: Channel, mut receiver: mpsc::Receiver<(u64, PublisherConfirm)>) -> anyhow::Result<()> {
    while let Some((mut last, confirm)) = receiver.recv().await {
        taken(confirm.await?)?;
        for _ in 1..ACKED_MAX {
            let Ok((tag, confirm)) = receiver.try_recv() else { break };
            taken(confirm.await?)?;
            last = tag;
        }
        channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
    }
    Ok(())
}

/// Returns what a worker answers.
pub(super) fn reply<'a>(messages: &'a Messages, delivery: &Delivery) -> anyhow::Result<Next<'a>> {
    let token = correlation(delivery)?;
    let queue = delivery.properties.reply_to().clone().context("a work item has no reply_to")?;
    let properties = messages.reply.with(format!("{token}:reply").into(), token.clone());
    Ok(Next { queue, properties, template: &messages.reply })
}

/// Stands where the owner would: knows nothing but where its one client is.
pub(super) struct Orchestrator<'a> {
    messages: &'a Messages,
    work: String,
    client: Option<ShortString>,
}

impl<'a> Orchestrator<'a> {
    pub(super) fn new(messages: &'a Messages, work: String) -> Self {
        Self { messages, work, client: None }
    }

    /// Returns the first work item of a start, the next of a reply, or the outcome.
    pub(super) fn follow(&mut self, delivery: &Delivery) -> anyhow::Result<Next<'a>> {
        let id = correlation(delivery)?;
        if delivery.properties.kind() == self.messages.start.properties.kind() {
            self.client.clone_from(delivery.properties.reply_to());
            return Ok(self.work_item(id.as_str().parse()?, 1, delivery));
        }
        match read_token(id.as_str())? {
            (number, step) if step < self.messages.steps => Ok(self.work_item(number, step + 1, delivery)),
            (number, _) => {
                let template = &self.messages.outcome;
                let queue = self.client.clone().context("a reply came before any start")?;
                let message = template.properties.message_id().clone().unwrap_or_default();
                Ok(Next { queue, properties: template.with(message, number.to_string().into()), template })
            }
        }
    }

    fn work_item(&self, number: u32, step: u32, delivery: &Delivery) -> Next<'a> {
        let token = ShortString::from(self.messages.token(number, step));
        let properties = self.messages.work_item.with(token.clone(), token);
        // Replies come to where this came from.
        let properties = properties.with_reply_to(delivery.routing_key.clone());
        Next { queue: self.work.as_str().into(), properties, template: &self.messages.work_item }
    }
}

pub(super) fn correlation(delivery: &Delivery) -> anyhow::Result<&ShortString> {
    delivery.properties.correlation_id().as_ref().context("a message has no correlation id")
}
