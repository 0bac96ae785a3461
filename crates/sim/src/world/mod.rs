//! The world: every process, the broker, the store, and what happens next.

mod calm;
mod disaster;
mod dispatch;
mod publish;
mod setup;
mod step;
mod storing;

use std::{collections::BTreeMap, fmt};

use warren::Registry;
use warren_broker::Codec;

pub(crate) use self::{
    disaster::Disaster,
    step::{BrokerStep, Process, Step, StoreStep},
};
use crate::{
    agenda::Agenda,
    broker::{Broker, ChannelId},
    client::Clients,
    fault::{Fault, Faults},
    invariants::Violation,
    ledger::Ledger,
    mutation::Mutation,
    profile::Profile,
    random::Random,
    replica::{Replica, Session},
    store::Store,
    time::{MS, Time},
    trace::Trace,
    worker::WorkerProcess,
};

/// What every process of the hub is made with.
pub(crate) struct Hub {
    pub(crate) codec: Codec,
    /// The orchestrators before and after the deployment, and the activities.
    pub(crate) before: Registry,
    pub(crate) after: Registry,
    pub(crate) owner: orchestrator_svc::owner::Settings,
    pub(crate) prefetch: usize,
    pub(crate) worker: activity_worker::worker::Limits,
    /// The work-item queues, without the hub's prefix.
    pub(crate) queues: Vec<String>,
}

/// A whole cluster.
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) random: Random,
    pub(crate) profile: Profile,
    pub(crate) agenda: Agenda<Step>,
    pub(crate) trace: Trace,
    pub(crate) faults: Faults,
    pub(crate) hub: Hub,
    pub(crate) store: Store,
    /// Until when the store can't be reached.
    pub(crate) store_back_at: Time,
    pub(crate) broker: Broker,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) sessions: BTreeMap<u64, Session>,
    pub(crate) workers: Vec<WorkerProcess>,
    pub(crate) clients: Clients,
    pub(crate) ledger: Ledger,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) violation: Option<Violation>,
    pub(crate) steps: u64,
    /// Since when faults are over.
    pub(crate) calm_since: Option<Time>,
    pub(crate) is_over: bool,
    pub(crate) rested_at: Option<Time>,
}

impl World {
    /// Takes the next step; returns whether there is more to come.
    pub(crate) fn step(&mut self) -> bool {
        let Some((at, step)) = self.agenda.next() else { return false };
        self.now = self.now.max(at);
        self.steps += 1;
        self.dispatch(step);
        !self.is_over && self.violation.is_none()
    }

    pub(crate) fn note(&mut self, text: fmt::Arguments<'_>) {
        self.trace.line(self.now, text);
    }

    /// Notes a violation; the first counts.
    pub(crate) fn judge(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.note(format_args!("VIOLATION of {}: {}", violation.invariant, violation.text));
            self.violation.get_or_insert(violation);
        }
    }

    /// Returns whether a fault of this rate happens now, and counts it.
    pub(crate) fn fails(&mut self, per_million: u32, fault: Fault) -> bool {
        let happens = self.random.happens(per_million);
        if happens {
            self.faults.count(fault);
        }
        happens
    }

    /// Returns how long something takes.
    pub(crate) fn latency(&mut self) -> u64 {
        if self.random.happens(self.profile.slow) {
            self.random.between(2 * MS, self.profile.slow_max)
        } else {
            self.random.between(20, 2 * MS)
        }
    }

    pub(crate) fn later(&mut self, micros: u64, step: Step) {
        self.agenda.add(self.now.after(micros), step);
    }

    /// Adds a step after the usual latency.
    pub(crate) fn soon(&mut self, step: Step) {
        let latency = self.latency();
        self.later(latency, step);
    }

    pub(crate) fn is_store_away(&self) -> bool {
        self.now < self.store_back_at
    }

    /// Returns when the next frame of a channel arrives: never before the one that was sent before it.
    pub(crate) fn frame_of_channel(&mut self, channel: ChannelId) -> Time {
        let at = self.now.after(self.latency());
        match self.broker.channels.get_mut(&channel) {
            Some(channel) => channel.frames_until.never_before(at),
            None => at,
        }
    }
}
