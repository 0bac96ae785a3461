//! From what arrived to a command.

use std::borrow::Cow;

use serde_json::Value;
use warren_client::Client;
use warren_model::{Answer, IfExists, InstanceId, MessageId, Payload};
use warren_service::{
    settings::MappingSettings,
    template::{Hole, Template},
};
use warren_store::Queries;

use crate::{Error, Maker};

/// What becomes of what arrives by one binding.
#[derive(Clone, Debug)]
pub struct Mapping {
    name: String,
    what: What,
    instance: Option<Template>,
    /// A JSON pointer.
    input: String,
    message_id: Option<Template>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Start { name: String, version: Option<String>, if_exists: IfExists },
    Raise { event: String },
}

/// What arrived.
pub struct Arrival<'a> {
    /// Its body, which is JSON.
    pub body: Payload,
    /// Finds a header by its name in lower case.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// What its sender calls it.
    pub id: Option<String>,
    /// The trace that it is part of.
    pub traceparent: Option<String>,
}

/// A command that is ready to be sent, any number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    what: What,
    instance: Option<InstanceId>,
    input: Payload,
    pub(crate) message: Option<MessageId>,
    traceparent: Option<String>,
}

impl Mapping {
    /// Returns the mapping of the settings, or what a person must mend.
    pub fn new(maker: Maker<'_>, settings: &MappingSettings) -> Result<Self, Error> {
        let if_exists = IfExists::ALL.into_iter().find(|choice| choice.as_str() == settings.if_exists);
        let what = if settings.raise.is_empty() {
            What::Start {
                name: settings.start.clone(),
                version: Some(settings.version.clone()).filter(|version| !version.is_empty()),
                if_exists: if_exists.ok_or_else(|| maker.wrong("if_exists", "names no choice"))?,
            }
        } else {
            What::Raise { event: settings.raise.clone() }
        };
        Ok(Self {
            name: maker.name().into(),
            what,
            instance: maker.template("instance", &settings.instance)?,
            input: settings.input.clone(),
            message_id: maker.template("message_id", &settings.message_id)?,
        })
    }

    /// Returns whether what arrives begins instances.
    pub fn is_start(&self) -> bool {
        matches!(self.what, What::Start { .. })
    }

    /// Returns the command, or why the mapping does not fit.
    pub fn order(&self, arrival: Arrival<'_>) -> Result<Order, String> {
        let body: Value = arrival.body.parse().map_err(|error| format!("the body is not JSON: {error}"))?;
        let find = |hole: &Hole| match hole {
            Hole::Input(pointer) => body.pointer(pointer).map(Cow::Borrowed),
            Hole::Header(name) => (arrival.header)(name).map(|value| Cow::Owned(value.into())),
            Hole::Environment(_) | Hole::IdempotencyKey | Hole::Instance => None,
        };
        let render = |setting: &str, template: &Template| {
            template.render(find).map_err(|unfilled| format!("{setting}: {unfilled}"))
        };
        let instance = match &self.instance {
            Some(template) => {
                Some(InstanceId::new(&render("instance", template)?).map_err(|error| format!("instance: {error}"))?)
            }
            None => None,
        };
        let id = self.message_id.as_ref().map(|template| render("message_id", template)).transpose()?.or(arrival.id);
        // Two senders may call theirs the same.
        let message = id.map(|id| MessageId::new(&format!("{}:{id}", self.name))).transpose();
        let message = message.map_err(|error| format!("message_id: {error}"))?;
        let input = match self.input.as_str() {
            "" => arrival.body,
            pointer => {
                let part = body.pointer(pointer).ok_or_else(|| format!("input: the body has no {pointer}"))?;
                Payload::of(part).map_err(|error| format!("input: {error}"))?
            }
        };
        Ok(Order { what: self.what.clone(), instance, input, message, traceparent: arrival.traceparent })
    }
}

impl Order {
    /// Returns the instance, unless its id is still to be made.
    pub(crate) fn instance(&self) -> Option<&InstanceId> {
        self.instance.as_ref()
    }

    /// Returns whether it does nothing more if it is sent again under another message id.
    pub(crate) fn acts_once(&self) -> bool {
        match self.what {
            What::Start { if_exists: IfExists::Fail | IfExists::UseExisting, .. } => self.instance.is_some(),
            What::Start { if_exists: IfExists::ReplaceEnded, .. } | What::Raise { .. } => false,
        }
    }

    /// Sends the command; returns once it is committed.
    pub async fn send<Q: Queries>(&self, client: &Client<Q>) -> warren_client::Result<Answer> {
        match (&self.what, &self.instance) {
            (What::Start { name, version, if_exists }, instance) => {
                let mut start = client.start(name, self.input.clone()).if_exists(*if_exists);
                if let Some(instance) = instance {
                    start = start.id(instance.clone());
                }
                if let Some(message) = &self.message {
                    start = start.message(message.clone());
                }
                if let Some(version) = version {
                    start = start.version(version);
                }
                if let Some(traceparent) = &self.traceparent {
                    start = start.traceparent(traceparent);
                }
                start.send().await
            }
            (What::Raise { event }, Some(instance)) => {
                let raise = client.raise_early(instance, event, self.input.clone());
                match &self.message {
                    Some(message) => raise.message(message.clone()).send().await,
                    None => raise.send().await,
                }
            }
            (What::Raise { .. }, None) => unreachable!("settings without an instance for an event are refused"),
        }
    }
}

#[cfg(test)]
#[path = "mapping_test.rs"]
mod test;
