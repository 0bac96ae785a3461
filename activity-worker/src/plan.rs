//! What a worker will do, made from settings and registry: refused before anything is touched if it makes no sense.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hasher, RandomState},
    num::NonZeroU16,
    time::Duration,
};

use warren::Registry;
use warren_broker::{QueueSpec, Topology};
use warren_service::{
    Settings,
    hub::{process_name, topology},
};

use crate::{
    Error, Result,
    worker::{Limits, Worker},
};

/// What a worker will do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    topology: Topology,
    /// Without the hub's prefix.
    names: Vec<String>,
    specs: Vec<QueueSpec>,
    worker: String,
    limits: Limits,
}

impl Plan {
    /// Returns the plan, or what a person must change.
    pub(crate) fn new(settings: &Settings, registry: &Registry) -> Result<Self> {
        let topology = topology(settings)?;
        let names = queues(&settings.worker.queues, registry)?;
        let specs = names.iter().map(|name| topology.work(name)).collect::<Result<_, _>>()?;
        let limits = Limits {
            concurrency: NonZeroU16::new(settings.worker.concurrency).ok_or(Error::NoSlots)?,
            payload_bytes: payload_bytes(settings),
            drain: Duration::from_secs(settings.worker.drain_seconds.into()),
            lease: Duration::from_secs(settings.worker.lease_seconds.into()),
            hold: Duration::from_secs(settings.worker.hold_seconds.into()),
        };
        Ok(Self { topology, names, specs, worker: process_name(&settings.worker.name), limits })
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self.topology.clone(), &self.names, &self.worker, self.limits).with_life(any_number())
    }

    pub(crate) fn queues(&self) -> &[QueueSpec] {
        &self.specs
    }

    /// Returns the names of the queues, without the hub's prefix.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn prefetch(&self) -> u16 {
        self.limits.concurrency.get()
    }

    pub(crate) fn name(&self) -> &str {
        &self.worker
    }
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
