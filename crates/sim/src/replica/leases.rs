//! Who owns which partition: leases that are counters, judged by this replica's own monotonic clock (H2).

use warren_model::Partition;
use warren_store::{Epoch, Survey};

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
        let result = self.renew_leases(replica);
        let (latency, sent) = (self.latency(), self.now);
        self.in_replica(latency, replica, ReplicaStep::Renewed { sent, result });
    }

    pub(super) fn renew_leases(&mut self, replica: usize) -> Result<Vec<Partition>, Trouble> {
        if self.is_store_away() || self.fails(self.profile.read_failed, Fault::ReadFailed) {
            return Err(Trouble::Away);
        }
        let (name, stands) = (self.replicas[replica].name(replica), !self.replicas[replica].is_draining);
        Ok(self.store.renew(&name, stands, &self.held_of(replica)))
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
        let result =
            if self.is_store_away() { Err(Trouble::Away) } else { Ok(self.store.survey(self.now.timestamp())) };
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

    pub(super) fn read_leases(&mut self, replica: usize, sent: Time, result: Result<Survey, Trouble>) {
        let Ok(survey) = result else { return self.next_tick(replica, sent) };
        // One after the other; what is not answered in time was done all the same, and its lease will lapse.
        let (mut wait, patience) = (0, LEASE.saturating_sub(self.now.since(sent)));
        let (held, giving) = self.held_and_giving(replica);
        let advice = self.replicas[replica].leases.advise(survey, self.now.elapsed(), true, &held, &giving);
        for partition in advice.give {
            self.note(format_args!("replica {replica}: hands partition {partition} over"));
            self.order(replica, partition, Order::Drain);
        }
        for lease in advice.take {
            if self.is_store_away() || wait > patience {
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
                let is_after_crash = lease.owner.is_some();
                self.in_replica(wait, replica, ReplicaStep::Acquired { partition, epoch, is_after_crash });
            }
        }
        self.next_tick_after(wait.min(patience), replica, sent);
    }

    /// Returns the partitions whose sessions run, and those that are on their way to others.
    fn held_and_giving(&self, replica: usize) -> (Vec<Partition>, Vec<Partition>) {
        let is_draining = |held: &Held| self.sessions.get(&held.session).is_some_and(|it| it.order == Order::Drain);
        let all = self.replicas[replica].held.iter();
        let (giving, held): (Vec<_>, Vec<_>) = all.partition(|(_, held)| is_draining(held));
        let partitions = |them: Vec<(&Partition, &Held)>| them.into_iter().map(|(partition, _)| *partition).collect();
        (partitions(held), partitions(giving))
    }

    /// Begins a session under a new epoch.
    pub(super) fn acquired(&mut self, replica: usize, partition: Partition, epoch: Epoch, is_after_crash: bool) {
        let life = self.replicas[replica].life;
        if self.replicas[replica].is_draining {
            return; // nobody will ever serve it; the lease lapses
        }
        let session = self.broker.id();
        self.replicas[replica].held.insert(partition, Held { epoch, session });
        let mut begun = Session::new(replica, life, partition, epoch);
        begun.is_after_crash = is_after_crash;
        begun.is_misled = self.replicas[replica].misled.contains(&partition);
        self.sessions.insert(session, begun);
        self.note(format_args!("replica {replica}: begins session s{session} of partition {partition} under {epoch}"));
        self.later(0, Step::Session { session, step: SessionStep::Begin });
    }
}
