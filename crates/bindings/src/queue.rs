//! Messages of another system's queue: each is acknowledged once the hub has accepted what it asks for, and not before.
//!
//! What the mapping does not fit, or the hub refuses, is put aside: it would fail again. While the hub can't be reached,
//! messages stay unacknowledged, and are asked for again under the same message id.

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warren_broker::{
    Acker, Broker, Consumer, Delivery, Message,
    amqp::{Amqp, AmqpAcker, AmqpConsumer},
};
use warren_client::Client;
use warren_model::MessageId;
use warren_service::{backoff::chance, settings::QueueBindingSettings};
use warren_store::Queries;

use crate::{
    Error, Maker, Order,
    source::{GRACE, Settled, Source, backoff},
    standing::Standing,
};

/// One queue, and what becomes of its messages.
#[derive(Debug)]
pub(crate) struct QueueBinding(Source);

impl QueueBinding {
    pub(crate) fn new(maker: Maker<'_>, settings: &QueueBindingSettings, broker: Amqp) -> Result<Self, Error> {
        Source::new(maker, settings, broker).map(Self)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Takes messages until `stopping`; then ends what is under way.
    pub(crate) async fn run<Q: Queries>(&self, client: Client<Q>, stopping: CancellationToken, standing: Standing) {
        let Source { name, broker, queue, prefetch, .. } = &self.0;
        let mut backoff = backoff();
        while !stopping.is_cancelled() {
            let opening = broker.consume(queue, *prefetch);
            let Some(opened) = stopping.run_until_cancelled(opening).await else { break };
            match opened {
                Ok(consumer) => {
                    tracing::info!(binding = name, queue, "taking messages");
                    backoff.reset();
                    standing.up();
                    self.serve(consumer, &client, &stopping).await;
                }
                Err(error) => standing.down(error.to_string()),
            }
            let _ = stopping.run_until_cancelled(sleep(backoff.next(chance()))).await;
        }
    }

    /// Takes messages until the channel is lost, or `stopping`.
    async fn serve<Q: Queries>(&self, mut consumer: AmqpConsumer, client: &Client<Q>, stopping: &CancellationToken) {
        let acker = consumer.acker();
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                deliveries = consumer.next(self.0.prefetch.into()) => match deliveries {
                    Some(deliveries) => running.extend(deliveries.into_iter().map(|delivery| self.take(delivery, client, &acker))),
                    None => return, // what was under way comes again
                },
                Some(()) = running.next() => {}
                () = stopping.cancelled() => break,
            }
        }
        let _ = acker.cancel().await;
        let end = async { while running.next().await.is_some() {} };
        let _ = timeout(GRACE, end).await;
    }

    async fn take<Q: Queries>(&self, delivery: Delivery, client: &Client<Q>, acker: &AmqpAcker) {
        let order = self.order(&delivery.message);
        let acknowledged = match self.0.settle(delivery.message, order, client).await {
            Settled::Done => acker.ack(delivery.tag, false).await,
            // Its own queue dead-letters it, or drops it.
            Settled::Unplaced => acker.reject(delivery.tag).await,
        };
        // A channel that is lost is noticed by whoever reads from it.
        if let Err(error) = acknowledged {
            tracing::warn!(binding = self.0.name, %error, "a message was not acknowledged and comes again");
        }
    }

    /// Returns the command. One that could act twice has an id of its sender's.
    fn order(&self, message: &Message) -> Result<Order, String> {
        let mut order = self.0.order(message, message.message_id.as_deref().map(str::to_owned))?;
        if order.message.is_none() {
            if !order.acts_once() {
                return Err("it has no message_id, the settings name none, and it could act twice".into());
            }
            // What is sent again from here is known; what is delivered again is known by the instance.
            order.message = Some(MessageId::from_uuid(Uuid::now_v7()));
        }
        Ok(order)
    }
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod test;
