//! Messages of another system's queue: each is acknowledged once the hub has accepted what it asks for, and not before.
//!
//! What the mapping does not fit, or the hub refuses, is put aside: it would fail again. While the hub can't be reached,
//! messages stay unacknowledged, and are asked for again under the same message id.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warren_broker::{
    Acker, Address, Broker, Consumer, Delivery, HeaderValue, Publication, Published, Publisher,
    amqp::{Amqp, AmqpAcker, AmqpConsumer},
};
use warren_client::{Client, Error};
use warren_model::{MessageId, Payload, TraceContext};
use warren_service::{
    backoff::{Backoff, chance},
    settings::QueueBindingSettings,
};
use warren_store::Queries;

use super::{
    BindingError, Maker,
    mapping::{Arrival, Mapping, Order},
};
use crate::metrics;

/// How long to wait before the queue is consumed again, or a message is sent again.
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// How long messages that are under way may take once the service stops.
const GRACE: Duration = Duration::from_secs(10);
/// The header of what was put aside that says why.
const REASON: &str = "warren-reason";

/// One queue, and what becomes of its messages.
#[derive(Debug)]
pub(crate) struct QueueBinding {
    name: String,
    broker: Amqp,
    queue: String,
    prefetch: u16,
    dead_letter: Option<String>,
    mapping: Mapping,
}

/// How a message is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Accepted,
    Misfit,
    Refused,
}

impl QueueBinding {
    pub(super) fn new(name: &str, settings: &QueueBindingSettings, broker: Amqp) -> Result<Self, BindingError> {
        let maker = Maker(name);
        Ok(Self {
            name: name.into(),
            broker,
            queue: settings.queue.clone(),
            prefetch: u16::try_from(settings.prefetch).map_err(|error| maker.wrong("prefetch", error.to_string()))?,
            dead_letter: Some(settings.dead_letter.clone()).filter(|queue| !queue.is_empty()),
            mapping: Mapping::new(maker, &settings.mapping)?,
        })
    }

    /// Takes messages until `stopping`; then ends what is under way.
    pub(crate) async fn run<Q: Queries>(&self, client: Client<Q>, stopping: CancellationToken) {
        let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
        let mut told = String::new();
        while !stopping.is_cancelled() {
            let opening = self.broker.consume(&self.queue, self.prefetch);
            let Some(opened) = stopping.run_until_cancelled(opening).await else { break };
            match opened.map_err(|error| error.to_string()) {
                Ok(consumer) => {
                    tracing::info!(binding = self.name, queue = self.queue, "taking messages");
                    backoff.reset();
                    told.clear();
                    self.serve(consumer, &client, &stopping).await;
                }
                Err(why) if why != told => {
                    tracing::warn!(binding = self.name, queue = self.queue, why, "the queue can't be consumed");
                    told = why;
                }
                Err(_) => {}
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
                deliveries = consumer.next(self.prefetch.into()) => match deliveries {
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
        let order = match self.order(&delivery) {
            Ok(order) => order,
            Err(why) => return self.put_aside(delivery, Fate::Misfit, &why, acker).await,
        };
        let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
        loop {
            match order.send(client).await {
                Ok(_) => {
                    self.count(Fate::Accepted);
                    return self.note(acker.ack(delivery.tag, false).await);
                }
                Err(Error::Refused(refusal)) => {
                    return self.put_aside(delivery, Fate::Refused, &refusal.message, acker).await;
                }
                Err(
                    error @ (Error::Unavailable { .. }
                    | Error::Timeout { .. }
                    | Error::Store(_)
                    | Error::Answer { .. }
                    | Error::Hub { .. }),
                ) => {
                    if backoff.tries() == 0 {
                        tracing::warn!(binding = self.name, %error, "the hub has not accepted a message yet");
                    }
                }
            }
            sleep(backoff.next(chance())).await;
        }
    }

    /// Returns the command. One that could act twice has an id of its sender's.
    fn order(&self, delivery: &Delivery) -> Result<Order, String> {
        let message = &delivery.message;
        let text = |value: &HeaderValue| match value {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Number(number) => number.to_string(),
            HeaderValue::Bool(value) => value.to_string(),
        };
        let header = |name: &str| {
            let found = message.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| text(value))
        };
        let arrival = Arrival {
            body: Payload::from_bytes(&message.body).map_err(|error| format!("the body is not JSON: {error}"))?,
            header: &header,
            id: message.message_id.clone(),
            traceparent: header("traceparent").filter(|trace| trace.parse::<TraceContext>().is_ok()),
        };
        let mut order = self.mapping.order(arrival)?;
        if order.message.is_none() {
            if !order.acts_once() {
                return Err("it has no message_id, the settings name none, and it could act twice".into());
            }
            // What is sent again from here is known; what is delivered again is known by the instance.
            order.message = Some(MessageId::from_uuid(Uuid::new_v4()));
        }
        Ok(order)
    }

    /// Gives a message to the queue for such, or else back to its own, which dead-letters it or drops it.
    async fn put_aside(&self, delivery: Delivery, fate: Fate, why: &str, acker: &AmqpAcker) {
        tracing::warn!(
            binding = self.name,
            queue = self.queue,
            message_id = delivery.message.message_id,
            why,
            "put a message aside"
        );
        self.count(fate);
        let Some(queue) = &self.dead_letter else { return self.note(acker.reject(delivery.tag).await) };
        let mut message = delivery.message;
        message.headers.insert(REASON.into(), HeaderValue::Text(why.into()));
        let publication = Publication { to: Address::Queue(queue.clone()), mandatory: true, packs: false, message };
        let mut backoff = Backoff::new(RETRY_MIN, RETRY_MAX);
        while let Err(why) = self.publish(&publication).await {
            tracing::error!(binding = self.name, queue, why, "the queue of setting dead_letter takes no messages");
            sleep(backoff.next(chance())).await;
        }
        self.note(acker.ack(delivery.tag, false).await);
    }

    async fn publish(&self, publication: &Publication) -> Result<(), String> {
        let publisher = self.broker.publisher().await.map_err(|error| error.to_string())?;
        match publisher.publish(vec![publication.clone()]).await.pop() {
            Some(Published::Confirmed) => Ok(()),
            Some(Published::Returned) => Err("it is missing".into()),
            Some(Published::Refused(why) | Published::Lost(why)) => Err(why),
            None => Err("no answer".into()),
        }
    }

    /// A channel that is lost is noticed by whoever reads from it; its messages come again.
    fn note(&self, acknowledged: warren_broker::Result<()>) {
        if let Err(error) = acknowledged {
            tracing::warn!(binding = self.name, %error, "a message was not acknowledged and comes again");
        }
    }

    fn count(&self, fate: Fate) {
        let result = match fate {
            Fate::Accepted => "accepted",
            Fate::Misfit => "misfit",
            Fate::Refused => "refused",
        };
        metrics::binding(&self.name, result);
    }
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod test;
