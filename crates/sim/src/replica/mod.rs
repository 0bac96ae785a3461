//! A process of orchestrator-svc: the thin shell around the real owners, as orchestrator-svc/src/shell drives them.

mod act;
mod ending;
mod forwarder;
mod leases;
mod life;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use orchestrator_svc::leases::Leases;
use warren_model::{Partition, Timestamp};
use warren_store::{Epoch, Survey};

pub(crate) use self::{
    forwarder::{Forwarder, ForwarderStep},
    session::{Answer, End, Order, Session, SessionStep},
};
use crate::{
    store::Trouble,
    time::{SECOND, Time},
    world::{Step, World},
};

/// After how long without a sign of life a partition is taken over.
const LEASE: u64 = 4 * SECOND;
const LEASE_TIME: Duration = Duration::from_micros(LEASE);
/// How often leases are renewed.
const TICK: u64 = LEASE / 4;
/// After how long without a renewal an owner gives up.
const GIVE_UP: u64 = LEASE / 4 * 3;

/// A partition that a replica owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) epoch: Epoch,
    pub(crate) session: u64,
}

/// One process, through all its lives.
#[derive(Debug)]
pub(crate) struct Replica {
    /// Rises when it dies; steps of an earlier life come to nothing.
    pub(crate) life: u32,
    pub(crate) is_up: bool,
    pub(crate) frozen_until: Time,
    /// How far its clock lags behind the database's, in microseconds.
    pub(crate) lag: u64,
    /// Whether it runs the newer orchestrators.
    pub(crate) is_deployed: bool,
    pub(crate) is_draining: bool,
    pub(crate) held: BTreeMap<Partition, Held>,
    /// Partitions of which a sender has ended a session by vouching wrongly for its ids, in this life.
    pub(crate) misled: BTreeSet<Partition>,
    /// What it has seen of every lease and of every other replica.
    leases: Leases,
    /// When the last renewal that succeeded was sent.
    renewed: Time,
    pub(crate) forwarder: Forwarder,
}

/// What happens in a replica besides its sessions.
#[derive(Debug)]
pub(crate) enum ReplicaStep {
    /// It begins.
    Boot,
    /// Leases are to be renewed.
    Tick,
    Renewed {
        sent: Time,
        result: Result<Vec<Partition>, Trouble>,
    },
    Leases {
        sent: Time,
        result: Result<Survey, Trouble>,
    },
    /// What is held may be used no longer, unless it was renewed after this time.
    Lapse(Time),
    Acquired {
        partition: Partition,
        epoch: Epoch,
        is_after_crash: bool,
    },
    SessionEnded {
        partition: Partition,
        epoch: Epoch,
        end: End,
    },
}

impl Replica {
    pub(crate) fn new() -> Self {
        Self {
            life: 0,
            is_up: false,
            frozen_until: Time::default(),
            lag: 0,
            is_deployed: false,
            is_draining: false,
            held: BTreeMap::new(),
            misled: BTreeSet::new(),
            leases: Leases::new(String::new(), LEASE_TIME),
            renewed: Time::default(),
            forwarder: Forwarder::default(),
        }
    }

    fn name(&self, replica: usize) -> String {
        format!("replica-{replica}.{}", self.life)
    }

    /// Returns the database's time as the process knows it.
    pub(crate) fn clock(&self, now: Time) -> Timestamp {
        now.shown(self.lag)
    }
}

impl World {
    pub(crate) fn replica_step(&mut self, replica: usize, step: ReplicaStep) {
        match step {
            ReplicaStep::Boot => self.boot_replica(replica),
            ReplicaStep::Tick => self.tick_replica(replica),
            ReplicaStep::Renewed { sent, result } => self.renewed(replica, sent, result),
            ReplicaStep::Leases { sent, result } => self.read_leases(replica, sent, result),
            ReplicaStep::Lapse(sent) => self.lapse(replica, sent),
            ReplicaStep::Acquired { partition, epoch, is_after_crash } => {
                self.acquired(replica, partition, epoch, is_after_crash);
            }
            ReplicaStep::SessionEnded { partition, epoch, end } => self.session_ended(replica, partition, epoch, end),
        }
    }

    /// Adds a step of a replica's present life.
    fn in_replica(&mut self, micros: u64, replica: usize, step: ReplicaStep) {
        let life = self.replicas[replica].life;
        self.later(micros, Step::Replica { replica, life, step });
    }
}
