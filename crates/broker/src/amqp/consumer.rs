//! The receiving end of a queue, on a channel of its own.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};

use super::{convert::from_delivery, error::Asker, link::Link};
use crate::{Acker, Consumer, Delivery, Result};

/// How long the broker may take to answer the close of a channel; after that the connection is as good as dead.
const CLOSE: Duration = Duration::from_secs(10);

/// Receives from one queue.
#[derive(Debug)]
pub struct AmqpConsumer {
    /// `None` only while it is dropped.
    parts: Option<Parts>,
    asker: Asker,
    source: Source,
    ended: bool,
}

#[derive(Debug)]
struct Parts {
    channel: Arc<Channel>,
    deliveries: lapin::Consumer,
}

/// What is consumed.
#[derive(Debug)]
struct Source {
    queue: ShortString,
    arguments: FieldTable,
}

/// Acknowledges the deliveries of one consumer. Does not keep its channel open.
#[derive(Clone, Debug)]
pub struct AmqpAcker {
    channel: Weak<Channel>,
    consumer: ShortString,
    asker: Asker,
}

impl AmqpConsumer {
    pub(super) async fn open(link: &Link, queue: &str, prefetch: u16, arguments: FieldTable) -> Result<Self> {
        let channel = link.channel().await?;
        let asker = link.asker().clone();
        asker.ask(channel.basic_qos(prefetch, BasicQosOptions { global: false })).await?;
        let source = Source { queue: queue.into(), arguments };
        let deliveries = source.consume(&channel, &asker).await?;
        Ok(Self { parts: Some(Parts { channel: Arc::new(channel), deliveries }), asker, source, ended: false })
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().expect("the parts are there until the drop")
    }

    fn deliveries(&mut self) -> &mut lapin::Consumer {
        &mut self.parts.as_mut().expect("the parts are there until the drop").deliveries
    }

    /// Takes one more delivery; notes the end, after which lapin's stream would wait for ever.
    fn keep(&mut self, next: Option<lapin::Result<lapin::message::Delivery>>) -> Option<Delivery> {
        match next {
            Some(Ok(delivery)) => Some(from_delivery(delivery)),
            Some(Err(_)) | None => {
                self.ended = true;
                None
            }
        }
    }
}

impl Consumer for AmqpConsumer {
    type Acker = AmqpAcker;

    async fn next(&mut self, max: usize) -> Option<Vec<Delivery>> {
        if self.ended {
            return None;
        }
        let first = self.deliveries().next().await;
        let mut batch = vec![self.keep(first)?];
        while batch.len() < max {
            let Some(next) = self.deliveries().next().now_or_never() else { break };
            let Some(delivery) = self.keep(next) else { break };
            batch.push(delivery);
        }
        Some(batch)
    }

    fn acker(&self) -> AmqpAcker {
        let Parts { channel, deliveries } = self.parts();
        AmqpAcker { channel: Arc::downgrade(channel), consumer: deliveries.tag(), asker: self.asker.clone() }
    }

    async fn restart(&mut self) -> Result<()> {
        let deliveries = self.source.consume(&self.parts().channel, &self.asker).await?;
        *self.deliveries() = deliveries;
        self.ended = false;
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.parts().channel.status().connected()
    }
}

impl Source {
    /// Begins to consume, by a tag that the channel never had: of a quorum queue's old one the broker may deliver again what
    /// is unacknowledged.
    async fn consume(&self, channel: &Channel, asker: &Asker) -> Result<lapin::Consumer> {
        let (queue, arguments) = (self.queue.clone(), self.arguments.clone());
        asker.ask(channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), arguments)).await
    }
}

impl Drop for AmqpConsumer {
    /// Closes the channel, and lets go of lapin's consumer only afterwards: its drop would cancel it first, and while
    /// a cancelled consumer still holds messages, the next one gets the newer messages before them.
    fn drop(&mut self) {
        let (Some(Parts { channel, deliveries }), Ok(runtime)) =
            (self.parts.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            // Fails if the channel is closed already, which is as good.
            let _ = tokio::time::timeout(CLOSE, channel.close(200, "done".into())).await;
            drop(deliveries);
        });
    }
}

impl AmqpAcker {
    /// Does it, unless the channel is lost: then the broker has taken the deliveries back already.
    async fn on_channel<F>(&self, act: impl FnOnce(Arc<Channel>) -> F) -> Result<()>
    where
        F: Future<Output = lapin::Result<()>>,
    {
        let Some(channel) = self.channel.upgrade().filter(|channel| channel.status().connected()) else {
            return Ok(());
        };
        let done = self.asker.ask(act(channel.clone())).await;
        if channel.status().connected() { done } else { Ok(()) }
    }
}

/// What no queue of a hub needs, but those of other systems.
impl AmqpAcker {
    /// Refuses a delivery for good: its queue dead-letters it, or drops it.
    pub async fn reject(&self, tag: u64) -> Result<()> {
        let options = BasicNackOptions { multiple: false, requeue: false };
        self.on_channel(async |channel| channel.basic_nack(tag, options).await).await
    }
}

impl Acker for AmqpAcker {
    async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        self.on_channel(async |channel| channel.basic_ack(tag, BasicAckOptions { multiple }).await).await
    }

    async fn requeue(&self, tag: u64) -> Result<()> {
        let options = BasicNackOptions { multiple: false, requeue: true };
        self.on_channel(async |channel| channel.basic_nack(tag, options).await).await
    }

    async fn cancel(&self) -> Result<()> {
        let consumer = self.consumer.clone();
        let options = BasicCancelOptions::default();
        self.on_channel(async |channel| channel.basic_cancel(consumer, options).await).await
    }
}
