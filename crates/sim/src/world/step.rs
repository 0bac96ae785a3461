//! What can happen next.

use warren_model::Timestamp;
use warren_store::{Commit, Load, Sweep, TurnKey};

use super::Disaster;
use crate::{
    broker::{ChannelId, FlightId},
    client::ClientStep,
    replica::{ForwarderStep, ReplicaStep, SessionStep},
    worker::WorkerStep,
};

/// A process, in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Process {
    Replica { replica: usize, life: u32 },
    Worker { worker: usize, life: u32 },
}

/// Something that happens at its time.
#[derive(Debug)]
pub(crate) enum Step {
    /// In a replica, unless that life of it is over.
    Replica {
        replica: usize,
        life: u32,
        step: ReplicaStep,
    },
    Forwarder {
        replica: usize,
        life: u32,
        step: ForwarderStep,
    },
    /// In a session, unless it has ended.
    Session {
        session: u64,
        step: SessionStep,
    },
    Worker {
        worker: usize,
        life: u32,
        step: WorkerStep,
    },
    /// At the store, whoever still waits for it.
    Store {
        session: u64,
        step: StoreStep,
    },
    /// At the broker, whoever still waits for it.
    Broker(BrokerStep),
    Client(ClientStep),
    Disaster(Disaster),
    /// A process that was frozen for long is given up by the broker.
    Heartbeat(Process),
    /// A replica begins to restart with the newer orchestrators.
    Deploy {
        replica: usize,
    },
    /// Faults end.
    Calm,
    /// The expensive invariants are checked.
    Look,
}

/// What the store does for a session.
#[derive(Debug)]
pub(crate) enum StoreStep {
    /// Reads what a new session begins with.
    Partition,
    Load(Load),
    Turns {
        number: u64,
        keys: Vec<TurnKey>,
    },
    Timers {
        until: Timestamp,
        limit: usize,
    },
    Sweep(Sweep),
    Expire {
        answered_before: Timestamp,
        now: Timestamp,
    },
    /// Writes a batch; `is_heard`: whether the session learns what became of it.
    Commit {
        commit: Box<Commit>,
        is_heard: bool,
    },
}

/// What the broker does.
#[derive(Debug)]
pub(crate) enum BrokerStep {
    Ack {
        channel: ChannelId,
        tag: u64,
        multiple: bool,
    },
    Requeue {
        channel: ChannelId,
        tag: u64,
    },
    Cancel(ChannelId),
    /// A cancelled consumer consumes again.
    Restart(ChannelId),
    /// A consumer is gone.
    Forget(ChannelId),
    /// Some of a batch arrive.
    Publish(FlightId),
    /// A publisher is gone with its process or session.
    ForgetPublisher(crate::broker::PublisherId),
}
