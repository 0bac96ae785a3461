//! What a worker will do, made from settings and registry: refused before anything is touched if it makes no sense.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hasher, RandomState},
    num::NonZeroU16,
    time::Duration,
};

use warren::Registry;
use warren_broker::{Lane, QueueSpec, Topology};
use warren_service::{
    Settings,
    hub::{process_name, topology},
};

use crate::{
    Error, Result,
    worker::{Limits, Served, Worker},
};

/// What a worker will do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    topology: Topology,
    /// The queues, and their lanes.
    served: Vec<Served>,
    specs: Vec<QueueSpec>,
    worker: String,
    limits: Limits,
}

impl Plan {
    /// Returns the plan, or what a person must change.
    pub(crate) fn new(settings: &Settings, registry: &Registry) -> Result<Self> {
        let topology = topology(settings)?;
        let names = queues(&settings.worker.queues, registry)?;
        let served = names.iter().map(|name| served(name, &topology, settings)).collect::<Result<Vec<_>>>()?.concat();
        let specs = served.iter().map(|queue| topology.work(&queue.name)).collect::<Result<_, _>>()?;
        let limits = Limits {
            concurrency: NonZeroU16::new(settings.worker.concurrency).ok_or(Error::NoSlots)?,
            payload_bytes: payload_bytes(settings),
            drain: Duration::from_secs(settings.worker.drain_seconds.into()),
            lease: Duration::from_secs(settings.worker.lease_seconds.into()),
            hold: Duration::from_secs(settings.worker.hold_seconds.into()),
        };
        Ok(Self { topology, served, specs, worker: process_name(&settings.worker.name), limits })
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self.topology.clone(), self.served.iter().cloned(), &self.worker, self.limits)
            .with_life(any_number())
    }

    pub(crate) fn queues(&self) -> &[QueueSpec] {
        &self.specs
    }

    /// Returns the names of the queues, without the hub's prefix.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.served.iter().map(|queue| queue.name.as_str())
    }

    pub(crate) fn concurrency(&self) -> u16 {
        self.limits.concurrency.get()
    }

    /// Returns each queue and how many unacknowledged deliveries of it the broker is asked for.
    pub(crate) fn consumed(&self) -> impl Iterator<Item = (&QueueSpec, u16)> {
        let prefetch = |queue| prefetch(queue, &self.topology, self.concurrency());
        self.specs.iter().zip(self.served.iter().map(prefetch))
    }

    pub(crate) fn name(&self) -> &str {
        &self.worker
    }
}

/// Returns a queue and its lanes with what the settings say of them.
fn served(name: &str, topology: &Topology, settings: &Settings) -> Result<Vec<Served>> {
    let rules = settings.queues.get(name).cloned().unwrap_or_default();
    let limit = Some(rules.limit).filter(|limit| *limit > 0);
    let per_minute = Some(rules.per_minute).filter(|rate| *rate > 0);
    let lanes = topology.lanes(name)?.into_iter();
    Ok(lanes.map(|Lane { name, priority }| Served { name, priority, limit, per_minute }).collect())
}

/// Returns how many unacknowledged deliveries of a queue the broker is asked for: enough to fill every slot from any one
/// queue, and no more than may run. But what goes before others must be here already when a slot becomes free, while the
/// replies of as many are on their way.
fn prefetch(queue: &Served, topology: &Topology, concurrency: u16) -> u16 {
    let goes_first = topology.has_lower(&queue.name, queue.priority);
    let most = if goes_first { concurrency.saturating_mul(2) } else { concurrency };
    queue.limit.unwrap_or(most).min(most)
}

/// Returns how large a result may be: without a payload store it must fit a message.
fn payload_bytes(settings: &Settings) -> usize {
    let max = settings.hub.payload_bytes_max();
    if settings.payloads.store().is_some() { max } else { max.min(settings.broker.message_bytes_max()) }
}

/// Returns a number by chance: each `RandomState` has keys of its own.
fn any_number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns the queues to serve: those of the setting, or else one for each activity; each once.
///
/// A queue that no activity of the registry has would be emptied into failures: that is a slip, and is refused.
fn queues(wanted: &[String], registry: &Registry) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = registry.activities().map(|activity| activity.queue).collect();
    if known.is_empty() {
        return Err(Error::NothingToServe);
    }
    if wanted.is_empty() {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    if let Some(unknown) = wanted.iter().find(|queue| !known.contains(queue.as_str())) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownQueue { queue: unknown.clone(), known });
    }
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    Ok(wanted.into_iter().cloned().collect())
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod test;
