//! From settings to the hub's broker and the names of processes.

use std::{fs, process, time::Duration};

use warren_broker::{
    Bodies, QueueRules, QueueType, Topology,
    amqp::{Amqp, AmqpConfig},
};

use crate::{Error, Result, Settings, settings};

/// Returns how the hub's queues are called and kept.
pub fn topology(settings: &Settings) -> Result<Topology> {
    let queue_type = match settings.broker.queue_type {
        settings::QueueType::Quorum => QueueType::Quorum,
        settings::QueueType::Classic => QueueType::Classic,
    };
    let topology = Topology::new(&settings.hub.name)
        .map_err(|error| Error::SetUp { what: "the hub's queues (setting hub.name)", reason: error.to_string() })?;
    let bodies = Bodies {
        bytes_max: settings.broker.message_bytes_max(),
        inline_bytes_max: settings.payloads.inline_bytes_max().min(settings.broker.message_bytes_max()),
        claim_queues: settings.payloads.queues.iter().cloned().collect(),
    };
    let topology = topology.with_queue_type(queue_type).with_delivery_limit(settings.broker.delivery_limit);
    let packed = settings.orchestrator.packed_queues.iter().cloned().collect();
    let rules = settings.queues.iter().map(|(name, queue)| (name.clone(), rules(queue)));
    Ok(topology.with_bodies(bodies).with_packed_queues(packed).with_rules(rules.collect()))
}

fn rules(queue: &settings::QueueSettings) -> QueueRules {
    QueueRules {
        lanes: queue.lanes,
        has_priorities: queue.priorities,
        is_limited: queue.is_limited(),
        has_baton: queue.has_baton(),
    }
}

/// Returns the broker, not connected yet. `name` is what its connections are called in the broker's management.
pub fn amqp(settings: &Settings, name: &str) -> Result<Amqp> {
    let mut config = AmqpConfig::new(settings.broker.url.as_str(), name, topology(settings)?);
    config.heartbeat = Duration::from_secs(settings.broker.heartbeat_seconds.into());
    Amqp::connect_lazily(config)
        .map_err(|error| Error::SetUp { what: "the broker (setting broker.url)", reason: error.to_string() })
}

/// Returns what a process calls itself: as its setting says, or host and process id.
pub fn process_name(setting: &str) -> String {
    if !setting.is_empty() {
        return setting.to_owned();
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "host" } else { host.trim() };
    format!("{host}-{}", process::id())
}

#[cfg(test)]
#[path = "hub_test.rs"]
mod test;
