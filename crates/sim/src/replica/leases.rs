//! Who owns which partition: leases that are counters, judged by this replica's own monotonic clock (H2).

use warren_model::Partition;
use warren_store::{Epoch, Lease};

use super::{GIVE_UP, Held, LEASE, Order, ReplicaStep, Session, SessionStep};
use crate::{
    fault::Fault,
    store::Trouble,
    time::Time,
    world::{Step, World},
};

impl World {
    /// Renews what is held, then looks at all leases.
    pub(super) fn tick_replica(&mut self, replica: usize) {
        let held: Vec<(Partition, Epoch)> = self.held_of(replica);
        let result = if self.is_store_away() || self.fails(self.profile.read_failed, Fault::ReadFailed) {
            Err(Trouble::Away)
        } else {
            Ok(self.store.renew(&held))
        };
        let (latency, sent) = (self.latency(), self.now);
        self.in_replica(latency, replica, ReplicaStep::Renewed { sent, result });
    }

    fn held_of(&self, replica: usize) -> Vec<(Partition, Epoch)> {
        self.replicas[replica].held.iter().map(|(partition, held)| (*partition, held.epoch)).collect()
    }

    pub(super) fn renewed(&mut self, replica: usize, sent: Time, result: Result<Vec<Partition>, Trouble>) {
        match result {
            Ok(_) if self.now.since(sent) > GIVE_UP => return self.next_tick(replica, sent), // no longer waited for
            Ok(lost) => {
                self.replicas[replica].lag = self.now.since(sent);
                self.has_renewed(replica, sent);
                for partition in lost {
                    self.note(format_args!("replica {replica}: partition {partition} was taken over"));
                    self.order(replica, partition, Order::Stop);
                }
            }
            Err(_) => return self.next_tick(replica, sent),
        }
        if self.replicas[replica].is_draining {
            return self.next_tick(replica, sent);
        }
        let result = if self.is_store_away() { Err(Trouble::Away) } else { Ok(self.store.leases()) };
        let (latency, sent) = (self.latency(), sent);
        self.in_replica(latency, replica, ReplicaStep::Leases { sent, result });
    }

    /// Notes a renewal, and when what is held may no longer be used without another one: counted from before it was
    /// sent, for another replica can't have counted from earlier.
    fn has_renewed(&mut self, replica: usize, sent: Time) {
        self.replicas[replica].renewed = sent;
        let wait = GIVE_UP.saturating_sub(self.now.since(sent));
        self.in_replica(wait, replica, ReplicaStep::Lapse(sent));
    }

    /// Gives up everything, unless it was renewed meanwhile.
    pub(super) fn lapse(&mut self, replica: usize, sent: Time) {
        if self.replicas[replica].renewed == sent && !self.replicas[replica].is_draining {
            self.stop_all(replica);
        }
    }

    fn stop_all(&mut self, replica: usize) {
        for (partition, _) in self.held_of(replica) {
            self.note(format_args!("replica {replica}: gives up partition {partition}, it could not renew"));
            self.order(replica, partition, Order::Stop);
        }
    }

    fn order(&mut self, replica: usize, partition: Partition, order: Order) {
        if let Some(held) = self.replicas[replica].held.get(&partition) {
            let session = held.session;
            self.later(0, Step::Session { session, step: SessionStep::Order(order) });
        }
    }

    pub(super) fn read_leases(&mut self, replica: usize, sent: Time, result: Result<Vec<Lease>, Trouble>) {
        let Ok(leases) = result else { return self.next_tick(replica, sent) };
        // One after the other; what is not answered in time was done all the same, and its lease will lapse.
        let (mut wait, patience) = (0, LEASE.saturating_sub(self.now.since(sent)));
        for lease in self.free(replica, leases) {
            if self.replicas[replica].held.contains_key(&lease.partition) || self.is_store_away() || wait > patience {
                continue;
            }
            let name = self.replicas[replica].name(replica);
            let Some(epoch) = self.store.acquire(&lease, &name) else { continue };
            let partition = lease.partition;
            self.note(format_args!("store: replica {replica} acquires partition {partition} under {epoch}"));
            let verdict = crate::invariants::fence::acquired(&mut self.ledger, partition, epoch);
            self.judge(verdict);
            if self.replicas[replica].held.is_empty() {
                self.has_renewed(replica, sent);
            }
            wait += self.latency();
            if wait <= patience {
                self.in_replica(wait, replica, ReplicaStep::Acquired { partition, epoch });
            }
        }
        self.next_tick_after(wait.min(patience), replica, sent);
    }

    /// Returns the leases that nobody holds, or whose holder has given no sign of life for the lease time.
    fn free(&mut self, replica: usize, leases: Vec<Lease>) -> Vec<Lease> {
        let now = self.now;
        let seen = &mut self.replicas[replica].seen;
        let mut free = Vec::new();
        for lease in leases {
            let since = match seen.get(&lease.partition) {
                Some((before, since)) if *before == lease => *since,
                Some(_) | None => now,
            };
            if lease.owner.is_none() || now.since(since) >= LEASE {
                free.push(lease.clone());
            }
            seen.insert(lease.partition, (lease, since));
        }
        free
    }

    /// Begins a session under a new epoch.
    pub(super) fn acquired(&mut self, replica: usize, partition: Partition, epoch: Epoch) {
        let life = self.replicas[replica].life;
        if self.replicas[replica].is_draining {
            return; // nobody will ever serve it; the lease lapses
        }
        let session = self.broker.id();
        self.replicas[replica].held.insert(partition, Held { epoch, session });
        self.sessions.insert(session, Session::new(replica, life, partition, epoch));
        self.note(format_args!("replica {replica}: begins session s{session} of partition {partition} under {epoch}"));
        self.later(0, Step::Session { session, step: SessionStep::Begin });
    }
}
