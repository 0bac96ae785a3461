//! The topology of a hub: what its queues and exchanges are called, and the arguments they are declared with.
//!
//! Never talks to a broker: both backends read it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use warren_model::Partition;

use crate::{
    Bodies, HeaderValue, NameError, QueueKind, QueueSpec,
    bodies::EVERY_QUEUE,
    name::{check_hub, check_work_queue},
    work_queue::{QueueRules, whole},
};

/// How often the broker may deliver a message before it is dead-lettered, unless the configuration says otherwise: in
/// effect never. RabbitMQ 4 would else stop at 20, and a restart counts for all that was unacknowledged; poison is
/// counted by the owner, per instance.
pub const DELIVERY_LIMIT_DEFAULT: u32 = 1_000_000;

/// The arguments of a queue, as AMQP names them.
pub type Arguments = BTreeMap<&'static str, HeaderValue>;

/// How the broker keeps a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueType {
    /// Replicated: survives a node, and has the higher throughput.
    #[default]
    Quorum,
    /// On one node: lower latency.
    Classic,
}

/// A topic exchange and the keys by which it feeds a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The exchange.
    pub exchange: String,
    /// The patterns of routing keys.
    pub keys: Vec<&'static str>,
}

/// What a hub's queues are called and how they are kept. Cheap enough to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Topology {
    hub: String,
    queue_type: QueueType,
    delivery_limit: u32,
    bodies: Bodies,
    packed_queues: BTreeSet<String>,
    pub(crate) rules: BTreeMap<String, QueueRules>,
}

/// The topology as configuration writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    hub: String,
    #[serde(default)]
    queue_type: QueueType,
    #[serde(default = "delivery_limit_default")]
    delivery_limit: u32,
    #[serde(default)]
    bodies: Bodies,
    #[serde(default)]
    packed_queues: BTreeSet<String>,
    #[serde(default)]
    rules: BTreeMap<String, QueueRules>,
}

fn delivery_limit_default() -> u32 {
    DELIVERY_LIMIT_DEFAULT
}

impl Topology {
    /// Returns the topology of `hub` with quorum queues; fails if the name has other than letters, digits, `_` and
    /// `-`, or more than 40 bytes.
    pub fn new(hub: &str) -> Result<Self, NameError> {
        check_hub(hub)?;
        Ok(Self {
            hub: hub.into(),
            queue_type: QueueType::Quorum,
            delivery_limit: DELIVERY_LIMIT_DEFAULT,
            bodies: Bodies::default(),
            packed_queues: BTreeSet::new(),
            rules: BTreeMap::new(),
        })
    }

    /// Returns the topology with queues of this type.
    #[must_use]
    pub fn with_queue_type(mut self, queue_type: QueueType) -> Self {
        self.queue_type = queue_type;
        self
    }

    /// Returns the topology with this delivery limit (quorum queues only).
    #[must_use]
    pub fn with_delivery_limit(mut self, limit: u32) -> Self {
        self.delivery_limit = limit;
        self
    }

    /// Returns the topology with these bounds of bodies.
    #[must_use]
    pub fn with_bodies(mut self, bodies: Bodies) -> Self {
        self.bodies = bodies;
        self
    }

    /// Returns the topology with these work-item queues packed (without the hub's prefix; `*`: every queue): all of their
    /// workers take packs.
    #[must_use]
    pub fn with_packed_queues(mut self, queues: BTreeSet<String>) -> Self {
        self.packed_queues = queues;
        self
    }

    /// Returns the topology with these rules of work-item queues (without the hub's prefix).
    #[must_use]
    pub fn with_rules(mut self, rules: BTreeMap<String, QueueRules>) -> Self {
        self.rules = rules;
        self
    }

    /// Returns the hub's name.
    pub fn hub(&self) -> &str {
        &self.hub
    }

    /// Returns how the hub's queues are kept.
    pub fn queue_type(&self) -> QueueType {
        self.queue_type
    }

    /// Returns how often the broker may deliver a message before it is dead-lettered.
    pub fn delivery_limit(&self) -> u32 {
        self.delivery_limit
    }

    /// Returns what bounds the bodies of its messages.
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// Returns whether those who consume the queue of this name take large bodies by reference: owners do, workers where
    /// the configuration says so, nobody else.
    pub fn takes_claims(&self, name: &str) -> bool {
        match self.queue_of_work(name) {
            Some(queue) => self.bodies.has_claims(whole(queue)),
            None => self.partition_of_control(name).is_some(),
        }
    }

    /// Returns whether work items of a queue (without the hub's prefix) may travel in packs.
    pub fn is_packed(&self, queue: &str) -> bool {
        [EVERY_QUEUE, whole(queue)].iter().any(|name| self.packed_queues.contains(*name))
    }

    /// Returns the name of the topic exchange that takes starts and events from other systems.
    pub fn ingress_exchange(&self) -> String {
        format!("{}.ingress", self.hub)
    }

    /// Returns the name of the topic exchange that tells of lifecycle events.
    pub fn events_exchange(&self) -> String {
        format!("{}.events", self.hub)
    }

    /// Returns the queue of starts and events from other systems.
    pub fn ingress_queue(&self) -> QueueSpec {
        QueueSpec { name: format!("{}.ingress", self.hub), kind: QueueKind::Ingress }
    }

    /// Returns the control queue of a partition.
    pub fn control(&self, partition: Partition) -> QueueSpec {
        QueueSpec { name: format!("{}.control.{partition}", self.hub), kind: QueueKind::Control }
    }

    /// Returns the queue of work items that is called so, without the hub's prefix; fails if AMQP can't carry the name.
    pub fn work(&self, queue: &str) -> Result<QueueSpec, NameError> {
        let name = format!("{}.work.{queue}", self.hub);
        check_work_queue(queue, &name)?;
        Ok(QueueSpec { name, kind: self.kind_of_work(queue) })
    }

    /// Returns the work-item queue that has this full name, without the hub's prefix.
    pub fn queue_of_work<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.hub.as_str())?.strip_prefix(".work.")
    }

    /// Returns the queue that tells how far a binding has read its stream.
    pub fn baton(&self, binding: &str) -> QueueSpec {
        QueueSpec { name: format!("{}.binding.{binding}", self.hub), kind: QueueKind::Baton }
    }

    /// Returns the queue of what nobody could understand or handle.
    pub fn dead(&self) -> QueueSpec {
        QueueSpec { name: format!("{}.dead", self.hub), kind: QueueKind::Dead }
    }

    /// Returns whether a queue of this name is the hub's own. No answer may be sent there.
    pub fn is_engine_queue(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.hub.as_str()).and_then(|rest| rest.strip_prefix('.')) else {
            return false;
        };
        matches!(rest, "ingress" | "dead")
            || ["binding.", "control.", "limit.", "work."].iter().any(|begin| rest.starts_with(begin))
    }

    /// Returns whether a queue may hold packs and claims, forms that only components of ours write: in the ingress other
    /// systems write too, and a form of ours is none there.
    pub fn is_inner_queue(&self, name: &str) -> bool {
        self.is_engine_queue(name) && self.ingress_queue().name != name
    }

    /// Returns the partition whose control queue has this name.
    pub fn partition_of_control(&self, name: &str) -> Option<Partition> {
        let digits = name.strip_prefix(self.hub.as_str())?.strip_prefix(".control.")?;
        // As a partition is written: every work item's `reply_to` is looked at, so none is written here to compare.
        let is_padded = digits.len() == 2 || (digits.len() > 2 && !digits.starts_with('0'));
        let is_number = is_padded && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().map(Partition).ok()).flatten()
    }

    /// Returns the arguments that a queue is declared with.
    ///
    /// Never `x-max-priority`: quorum queues refuse it.
    pub fn arguments(&self, kind: QueueKind) -> Arguments {
        let text = |value: &str| HeaderValue::Text(value.into());
        let mut arguments = Arguments::new();
        match self.queue_type {
            QueueType::Quorum => {
                arguments.insert("x-queue-type", text("quorum"));
                arguments.insert("x-delivery-limit", HeaderValue::Number(self.delivery_limit.into()));
            }
            QueueType::Classic => {
                arguments.insert("x-queue-type", text("classic"));
            }
        }
        if kind != QueueKind::Dead {
            arguments.insert("x-dead-letter-exchange", text(""));
            arguments.insert("x-dead-letter-routing-key", text(&self.dead().name));
            if self.queue_type == QueueType::Quorum {
                // At least once works only with `reject-publish`; without a length limit nothing is ever rejected.
                arguments.insert("x-dead-letter-strategy", text("at-least-once"));
                arguments.insert("x-overflow", text("reject-publish"));
            }
        }
        if matches!(kind, QueueKind::Ingress | QueueKind::LimitedWork | QueueKind::Baton) {
            arguments.insert("x-single-active-consumer", HeaderValue::Bool(true));
        }
        arguments
    }

    /// Returns the exchange that feeds a queue, if one does besides the default exchange.
    ///
    /// The ingress takes every key, so that a message with a wrong one ends in the dead queue with the reason; bound to
    /// the right ones only, the broker would drop it without a word unless its sender asked for returns.
    pub fn binding(&self, kind: QueueKind) -> Option<Binding> {
        match kind {
            QueueKind::Ingress => Some(Binding { exchange: self.ingress_exchange(), keys: vec!["#"] }),
            QueueKind::Control | QueueKind::Work | QueueKind::LimitedWork | QueueKind::Baton | QueueKind::Dead => None,
        }
    }
}

impl TryFrom<Settings> for Topology {
    type Error = NameError;
    fn try_from(settings: Settings) -> Result<Self, NameError> {
        let topology = Self::new(&settings.hub)?;
        let topology = topology.with_queue_type(settings.queue_type).with_delivery_limit(settings.delivery_limit);
        let topology = topology.with_bodies(settings.bodies).with_packed_queues(settings.packed_queues);
        Ok(topology.with_rules(settings.rules))
    }
}

impl From<Topology> for Settings {
    fn from(topology: Topology) -> Self {
        let Topology { hub, queue_type, delivery_limit, bodies, packed_queues, rules } = topology;
        Self { hub, queue_type, delivery_limit, bodies, packed_queues, rules }
    }
}

#[cfg(test)]
#[path = "topology_test.rs"]
mod test;
