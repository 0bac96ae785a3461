//! `[broker]`: RabbitMQ.

use serde::{Deserialize, Serialize};
use warren_broker::amqp::addresses;

use super::SecretUrl;
use crate::Problems;

/// How RabbitMQ is reached, and how the hub's queues are kept there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSettings {
    /// Where it is, e.g. `amqp://user:password@host:5672/vhost` (`%2f` is the vhost `/`); several nodes with commas.
    pub url: SecretUrl,
    /// How queues are kept.
    pub queue_type: QueueType,
    /// Seconds between heartbeats; at most a third of the lease.
    pub heartbeat_seconds: u16,
    /// How often the broker may deliver a message before it goes to the dead queue.
    pub delivery_limit: u32,
    /// Largest body of a message, in MiB: no more than the broker's own `max_message_size`.
    pub message_megabytes_max: u32,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            url: "amqp://guest:guest@127.0.0.1:5672/%2f".into(),
            queue_type: QueueType::Quorum,
            heartbeat_seconds: 1,
            delivery_limit: 1_000_000,
            message_megabytes_max: 16,
        }
    }
}

impl BrokerSettings {
    /// Returns the largest body of a message, in bytes.
    pub fn message_bytes_max(&self) -> usize {
        self.message_megabytes_max as usize * 1024 * 1024
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let begins_well =
            |url: &&str| ["amqp://", "amqps://"].iter().any(|scheme| url.trim_start().starts_with(scheme));
        if !addresses(self.url.as_str()).iter().all(begins_well) {
            problems.add("broker.url", format!("broker.url = {:?}, must begin with amqp:// or amqps://", self.url));
        }
        problems.range("broker.heartbeat_seconds", self.heartbeat_seconds, 1, 60);
        problems.range("broker.delivery_limit", self.delivery_limit, 1, u32::MAX.into());
        problems.range("broker.message_megabytes_max", self.message_megabytes_max, 1, 512);
    }
}

/// How the broker keeps the hub's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum QueueType {
    /// Replicated: survives a node, and has the higher throughput.
    Quorum,
    /// On one node: lower latency.
    Classic,
}

impl TryFrom<String> for QueueType {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "quorum" => Ok(Self::Quorum),
            "classic" => Ok(Self::Classic),
            _ => Err(format!("{text:?}, must be quorum or classic")),
        }
    }
}
