//! What a queue and a stream share: from a message to a command that the hub has accepted, or to a message put aside.

use std::time::Duration;

use tokio::time::sleep;
use warren_broker::{Address, Broker, HeaderValue, Message, Publication, Publisher, amqp::Amqp};
use warren_client::{Client, Error as Unsent};
use warren_model::{Payload, TraceContext};
use warren_service::{
    backoff::{Backoff, chance},
    settings::QueueBindingSettings,
};
use warren_store::Queries;

use crate::{Arrival, Error, Maker, Mapping, Order, metrics};

/// How long to wait before a queue is consumed again, or a message is sent again.
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// How long messages that are under way may take once the service stops.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// The header of what was put aside that says why.
pub(crate) const REASON: &str = "warren-reason";

/// Where messages come from, and what becomes of each.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) broker: Amqp,
    pub(crate) queue: String,
    pub(crate) prefetch: u16,
    dead_letter: Option<String>,
    mapping: Mapping,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The hub has accepted it, or the queue for such has it.
    Done,
    /// It does not fit or was refused, and the settings name no queue for such.
    Unplaced,
}

impl Source {
    pub(crate) fn new(maker: Maker<'_>, settings: &QueueBindingSettings, broker: Amqp) -> Result<Self, Error> {
        Ok(Self {
            name: maker.name().into(),
            broker,
            queue: settings.queue.clone(),
            prefetch: u16::try_from(settings.prefetch).map_err(|error| maker.wrong("prefetch", error.to_string()))?,
            dead_letter: Some(settings.dead_letter.clone()).filter(|queue| !queue.is_empty()),
            mapping: Mapping::new(maker, &settings.mapping)?,
        })
    }

    /// Returns the command that a message asks for, or why there is none. `id` is what its sender calls it.
    pub(crate) fn order(&self, message: &Message, id: Option<String>) -> Result<Order, String> {
        let text = |value: &HeaderValue| match value {
            HeaderValue::Text(text) => text.to_string(),
            HeaderValue::Number(number) => number.to_string(),
            HeaderValue::Bool(value) => value.to_string(),
        };
        let header = |name: &str| {
            let found = message.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| text(value))
        };
        self.mapping.order(Arrival {
            body: Payload::from_bytes(&message.body).map_err(|error| format!("the body is not JSON: {error}"))?,
            header: &header,
            id,
            traceparent: header("traceparent").filter(|trace| trace.parse::<TraceContext>().is_ok()),
        })
    }

    /// Sends the command until the hub has accepted or refused it. What it refuses is put aside, and what there is no
    /// command for: it would fail again.
    pub(crate) async fn settle<Q: Queries>(
        &self,
        message: Message,
        order: Result<Order, String>,
        client: &Client<Q>,
    ) -> Settled {
        let order = match order {
            Ok(order) => order,
            Err(why) => return self.put_aside(message, "misfit", why).await,
        };
        match self.send(&order, client).await {
            Ok(()) => {
                metrics::binding(&self.name, "accepted");
                Settled::Done
            }
            Err(why) => self.put_aside(message, "refused", why).await,
        }
    }

    /// Fails only if the hub refuses the command.
    async fn send<Q: Queries>(&self, order: &Order, client: &Client<Q>) -> Result<(), String> {
        let mut backoff = backoff();
        loop {
            match order.send(client).await {
                Ok(_) => return Ok(()),
                Err(Unsent::Refused(refusal)) => return Err(refusal.message),
                Err(
                    error @ (Unsent::Unavailable { .. }
                    | Unsent::Timeout { .. }
                    | Unsent::Store(_)
                    | Unsent::Answer { .. }
                    | Unsent::Hub { .. }),
                ) => {
                    if backoff.tries() == 0 {
                        tracing::warn!(binding = self.name, %error, "the hub has not accepted a message yet");
                    }
                }
            }
            sleep(backoff.next(chance())).await;
        }
    }

    async fn put_aside(&self, mut message: Message, result: &'static str, why: String) -> Settled {
        let Self { name, queue, .. } = self;
        tracing::warn!(binding = name, queue, message_id = message.message_id.as_deref(), why, "put a message aside");
        metrics::binding(name, result);
        let Some(aside) = &self.dead_letter else { return Settled::Unplaced };
        message.headers.insert(REASON, HeaderValue::Text(why.into()));
        let publication =
            Publication { to: Address::Queue(aside.as_str().into()), mandatory: true, packs: false, message };
        let mut backoff = backoff();
        while let Err(why) = publish_by(&self.broker, &publication).await {
            tracing::error!(binding = name, queue = aside, why, "the queue of setting dead_letter takes no messages");
            sleep(backoff.next(chance())).await;
        }
        Settled::Done
    }
}

/// Returns the waits between tries.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(RETRY_MIN, RETRY_MAX)
}

async fn publish_by(broker: &Amqp, publication: &Publication) -> Result<(), String> {
    let publisher = broker.publisher().await.map_err(|error| error.to_string())?;
    publisher.publish_one(publication.clone()).await
}
