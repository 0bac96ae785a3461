//! How a replica begins and ends.

use orchestrator_svc::leases::Leases;

use super::{Forwarder, ForwarderStep, LEASE_TIME, Order, ReplicaStep, SessionStep, TICK};
use crate::{
    time::{MS, SECOND, Time},
    world::{Process, Step, World},
};

impl World {
    pub(super) fn boot_replica(&mut self, replica: usize) {
        let now = self.now;
        let found = &mut self.replicas[replica];
        found.is_up = true;
        found.is_draining = false;
        found.renewed = now;
        found.leases = Leases::new(found.name(replica), LEASE_TIME);
        let (life, is_deployed) = (found.life, found.is_deployed);
        self.note(format_args!("replica {replica}: begins its life {life}, deployed: {is_deployed}"));
        self.in_replica(0, replica, ReplicaStep::Tick);
        self.soon(Step::Forwarder { replica, life, step: ForwarderStep::Begin });
    }

    /// Ends a process at once: what it held is closed by the broker a moment later, its leases lapse.
    pub(crate) fn kill_replica(&mut self, replica: usize) {
        self.abandon_channels_of(Process::Replica { replica, life: self.replicas[replica].life });
        self.sessions.retain(|_, session| session.replica != replica);
        let found = &mut self.replicas[replica];
        found.life += 1;
        found.is_up = false;
        found.held.clear();
        found.misled.clear();
        found.frozen_until = Time::default();
        found.forwarder = Forwarder::default();
        let pause = self.random.between(10 * MS, 4 * SECOND);
        self.in_replica(pause, replica, ReplicaStep::Boot);
    }

    /// Tells a process to finish and to give its leases back.
    pub(crate) fn drain_replica(&mut self, replica: usize) {
        let found = &mut self.replicas[replica];
        if !found.is_up || found.is_draining {
            return;
        }
        found.is_draining = true;
        let _ = self.renew_leases(replica); // it stands for no partition any more
        let found = &self.replicas[replica];
        let held: Vec<u64> = found.held.values().map(|held| held.session).collect();
        self.end_forwarder(replica);
        for session in held {
            self.later(0, Step::Session { session, step: SessionStep::Order(Order::Drain) });
        }
        self.stop_if_drained(replica);
    }

    pub(super) fn stop_if_drained(&mut self, replica: usize) {
        let found = &self.replicas[replica];
        if found.is_draining && found.held.is_empty() {
            self.note(format_args!("replica {replica}: drained"));
            self.kill_replica(replica);
        }
    }

    /// The replica restarts with the newer orchestrators.
    pub(crate) fn deploy(&mut self, replica: usize) {
        if std::mem::replace(&mut self.replicas[replica].is_deployed, true) {
            return;
        }
        self.note(format_args!("replica {replica}: deployed"));
        if self.random.one_in(2) { self.kill_replica(replica) } else { self.drain_replica(replica) }
    }

    /// Returns when the next renewal is due, counted from the one before.
    pub(super) fn next_tick(&mut self, replica: usize, sent: Time) {
        self.next_tick_after(0, replica, sent);
    }

    /// The same, and not before so many microseconds.
    pub(super) fn next_tick_after(&mut self, least: u64, replica: usize, sent: Time) {
        let wait = TICK.saturating_sub(self.now.since(sent)).max(least);
        self.in_replica(wait, replica, ReplicaStep::Tick);
    }
}
