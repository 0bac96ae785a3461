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
            Ok(lost) => {
                self.replicas[replica].lag = self.now.since(sent);
                for partition in lost {
                    self.note(format_args!("replica {replica}: partition {partition} was taken over"));
                    self.order(replica, partition, Order::Stop);
                }
            }
            Err(_) => return self.could_not_renew(replica, sent),
        }
        if self.replicas[replica].is_draining {
            return self.next_tick(replica, sent);
        }
        let result = if self.is_store_away() { Err(Trouble::Away) } else { Ok(self.store.leases()) };
        let (latency, sent) = (self.latency(), sent);
        self.in_replica(latency, replica, ReplicaStep::Leases { sent, result });
    }

    /// Judged from before the last renewal was sent: another replica can't have counted from earlier.
    fn could_not_renew(&mut self, replica: usize, sent: Time) {
        let found = &self.replicas[replica];
        if self.now.since(found.renewed) > GIVE_UP && !found.is_draining {
            self.stop_all(replica);
        }
        self.next_tick(replica, sent);
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
        let Ok(leases) = result else { return self.could_not_renew(replica, sent) };
        for lease in self.free(replica, leases) {
            if self.replicas[replica].held.contains_key(&lease.partition) || self.is_store_away() {
                continue;
            }
            let name = self.replicas[replica].name(replica);
            let Some(epoch) = self.store.acquire(&lease, &name) else { continue };
            self.note(format_args!("store: replica {replica} acquires partition {} under {epoch}", lease.partition));
            let verdict = crate::invariants::fence::acquired(&mut self.ledger, lease.partition, epoch);
            self.judge(verdict);
            let latency = self.latency();
            let partition = lease.partition;
            self.in_replica(latency, replica, ReplicaStep::Acquired { partition, epoch });
        }
        if self.now.since(sent) > GIVE_UP {
            self.stop_all(replica);
        }
        self.replicas[replica].renewed = sent;
        self.next_tick(replica, sent);
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
