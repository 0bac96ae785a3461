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
    worker::{Bound, Limits, Served, ServedId, Worker},
};

/// What a worker will do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    topology: Topology,
    served: Vec<Served>,
    /// Their lanes.
    specs: Vec<QueueSpec>,
    worker: String,
    limits: Limits,
}

impl Plan {
    /// Returns the plan, or what a person must change.
    pub(crate) fn new(settings: &Settings, registry: &Registry) -> Result<Self> {
        let topology = topology(settings)?;
        let names = queues(&settings.worker.queues, registry)?;
        let served = names.iter().map(|name| served(name, &topology, settings)).collect::<Result<Vec<_>>>()?;
        let specs = lanes(&served).map(|(_, lane)| topology.work(&lane.name)).collect::<Result<_, _>>()?;
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

    /// Returns the names of the lanes, without the hub's prefix.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        lanes(&self.served).map(|(_, lane)| lane.name.as_str())
    }

    /// Returns the queues that have a baton, and where it is.
    pub(crate) fn batons(&self) -> impl Iterator<Item = (ServedId, QueueSpec)> {
        let baton = |(at, queue): (usize, &Served)| Some((ServedId(at), self.topology.baton_of_work(&queue.name)?));
        self.served.iter().enumerate().filter_map(baton)
    }

    pub(crate) fn concurrency(&self) -> u16 {
        self.limits.concurrency.get()
    }

    /// Returns how each lane is consumed.
    pub(crate) fn consumed(&self) -> impl Iterator<Item = Consumed> {
        let consumed = |(spec, (queue, lane)): (&QueueSpec, (&Served, &Lane))| Consumed {
            spec: spec.clone(),
            prefetch: prefetch(queue, lane, &self.topology, self.concurrency()),
            begins_paused: queue.has_baton,
        };
        self.specs.iter().zip(lanes(&self.served)).map(consumed)
    }

    pub(crate) fn name(&self) -> &str {
        &self.worker
    }
}

/// How a lane is consumed.
#[derive(Clone, Debug)]
pub(crate) struct Consumed {
    pub(crate) spec: QueueSpec,
    /// How many unacknowledged deliveries of it the broker is asked for.
    pub(crate) prefetch: u16,
    /// Whether that is not before the worker's loop says so.
    pub(crate) begins_paused: bool,
}

/// Returns a queue and its lanes with what the settings say of them.
fn served(name: &str, topology: &Topology, settings: &Settings) -> Result<Served> {
    let rules = settings.queues.get(name).cloned().unwrap_or_default();
    let bound = |limit, per_minute| Bound {
        limit: Some(limit).filter(|limit| *limit > 0),
        per_minute: Some(per_minute).filter(|rate| *rate > 0),
    };
    Ok(Served {
        name: name.to_owned(),
        lanes: topology.lanes(name)?,
        whole: bound(rules.limit, rules.per_minute),
        each: bound(rules.lane_limit, rules.lane_per_minute),
        has_baton: topology.baton_of_work(name).is_some(),
    })
}

fn lanes(served: &[Served]) -> impl Iterator<Item = (&Served, &Lane)> {
    served.iter().flat_map(|queue| queue.lanes.iter().map(move |lane| (queue, lane)))
}

/// Returns how many unacknowledged deliveries of a lane the broker is asked for: enough to fill every slot from any one
/// queue, and no more than may run. But what goes before others must be here already when a slot becomes free, while the
/// replies of as many are on their way.
fn prefetch(queue: &Served, lane: &Lane, topology: &Topology, concurrency: u16) -> u16 {
    let most = [queue.whole.limit, queue.each.limit].into_iter().flatten().fold(concurrency, u16::min);
    if topology.has_lower(&lane.name, lane.priority) { most.saturating_mul(2) } else { most }
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
