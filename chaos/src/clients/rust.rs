//! The Rust client, as a program that links it.

use std::time::Duration;

use serde_json::Value;
use warren_broker::{
    Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_chaos_checker::Answered;
use warren_client::{Client, Error, Options};
use warren_model::{InstanceId, MessageId, Payload, RefusalCode};
use warren_store::postgres::PostgresReader;

use super::{Attempt, Order, StartOrder, answered, event_name};
use crate::{fleet::HUB, plan::Deed};

/// How long it waits for an answer: short enough that it asks again during a takeover.
const WITHIN: Duration = Duration::from_secs(4);

/// The client. Cheap to clone.
#[derive(Clone)]
pub(super) struct Rust(Client<PostgresReader>);

impl Rust {
    pub(super) async fn connect(broker: &str, store: &str) -> anyhow::Result<Self> {
        let topology = Topology::new(HUB)?;
        let broker = Amqp::connect_lazily(AmqpConfig::new(broker, "storm", topology.clone()))?;
        let options = Options { within: WITHIN, ..Options::default() };
        Ok(Self(Client::connect(broker, PostgresReader::open(store, HUB).await?, topology, options)?))
    }

    pub(super) async fn start(&self, order: &StartOrder<'_>) -> Attempt<Answered> {
        let case = &order.script.case;
        let mut start = self.0.start(&*case.orchestrator, payload(&order.script.input)).message(message(&case.message));
        if let Some(id) = &case.instance {
            start = start.id(instance(id));
        }
        let answer = start.send().await;
        attempt(answer)
            .map(|answer| answered(&case.message, answer.instance.to_string(), Some(answer.execution.to_string())))
    }

    pub(super) async fn send(&self, order: &Order<'_>) -> Attempt<()> {
        let instance = instance(order.instance);
        let reason = Some("storm".to_owned());
        let ask = match order.deed {
            Deed::Raise(signal) => {
                let input = Payload::of(&signal).expect("a signal has names for keys");
                self.0.raise(&instance, event_name(), input)
            }
            Deed::Suspend => self.0.suspend(&instance, reason),
            Deed::Resume => self.0.resume(&instance, reason),
            Deed::Terminate => self.0.terminate(&instance, reason, true),
        };
        attempt(ask.message(message(order.message)).send().await).map(|_| ())
    }
}

fn attempt<T>(answer: Result<T, Error>) -> Attempt<T> {
    match answer {
        Ok(answer) => Attempt::Done(answer),
        Err(Error::Unavailable { .. }) => Attempt::Again("rust unavailable".into()),
        Err(Error::Timeout { .. }) => Attempt::Again("rust timeout".into()),
        Err(Error::Refused(refusal)) if refusal.code == RefusalCode::NotFound => Attempt::Refused("not_found".into()),
        Err(other) => Attempt::Refused(other.to_string()),
    }
}

fn payload(input: &Value) -> Payload {
    Payload::of(input).expect("a value is JSON")
}

fn message(id: &str) -> MessageId {
    MessageId::new(id).expect("the plan's message ids are short and printable")
}

fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).expect("the plan's instance ids are short and printable")
}
