//! `kind = "publish"`: publishes a message to an exchange.

use serde::{Deserialize, Serialize};

use super::{ACTIVITY_HOLES, Check, is_secret};
use crate::{settings::SecretUrl, template::is_pointer};

/// An activity that publishes a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublishSettings {
    /// Its work-item queue, without the hub's name; empty: the activity's name.
    pub queue: String,
    /// The broker, with `{env:NAME}` for any part; empty: `broker.url`.
    pub url: SecretUrl,
    /// The exchange.
    pub exchange: String,
    /// The routing key, with holes.
    pub routing_key: String,
    /// Headers, each `name: value` with holes.
    pub headers: Vec<String>,
    /// Which part of the input is sent as JSON: a JSON pointer, empty for all of it; `none`: an empty body.
    pub body: String,
    /// How long it may take until the broker has it.
    pub timeout_seconds: u32,
}

impl Default for PublishSettings {
    fn default() -> Self {
        Self {
            queue: String::new(),
            url: "".into(),
            exchange: String::new(),
            routing_key: String::new(),
            headers: Vec::new(),
            body: String::new(),
            timeout_seconds: 30,
        }
    }
}

impl PublishSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        let url = self.url.as_str();
        if !(url.is_empty()
            || is_secret(url) && ["amqp://", "amqps://", "{env:"].iter().any(|begin| url.starts_with(begin)))
        {
            let example = "must be empty, {env:NAME}, or amqp://user:password@host/vhost";
            check.add("url", &format!("= {:?}, {example}", self.url));
        }
        // Its routing keys are names of queues: with one from the input it would reach every queue of the virtual host.
        if self.exchange.is_empty() || self.exchange.len() > 255 {
            check.add("exchange", &format!("= {:?}, must name an exchange", self.exchange));
        }
        check.template("routing_key", &self.routing_key, ACTIVITY_HOLES);
        check.headers(&self.headers, ACTIVITY_HOLES);
        if !is_pointer(&self.body) && self.body != "none" {
            check.add("body", &format!("= {:?}, must be a JSON pointer as /order, none, or empty", self.body));
        }
        check.range("timeout_seconds", self.timeout_seconds, 1, 600);
    }
}
