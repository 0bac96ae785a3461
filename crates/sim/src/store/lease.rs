//! Leases: counters with an epoch.

use warren_model::{Partition, Timestamp};
use warren_store::{Epoch, Lease, Standing, Survey};

use super::{Store, Trouble};

impl Store {
    /// Returns who owns what.
    pub(crate) fn survey(&self, now: Timestamp) -> Survey {
        let standing = |(replica, counter): (&String, &i64)| Standing { replica: replica.clone(), counter: *counter };
        Survey { leases: self.leases(), replicas: self.replicas.iter().map(standing).collect(), now }
    }

    /// Returns every lease, in order.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        let row = |(partition, tables): (&Partition, &super::Tables)| Lease {
            partition: *partition,
            owner: tables.lease.owner.clone(),
            epoch: tables.lease.epoch,
            counter: tables.lease.counter,
        };
        self.partitions.iter().map(row).collect()
    }

    /// Takes a lease that is free or as it was `seen`.
    pub(crate) fn acquire(&mut self, seen: &Lease, owner: &str) -> Option<Epoch> {
        let lease = &mut self.tables_mut(seen.partition).lease;
        let is_free = lease.owner.is_none() || (lease.epoch, lease.counter) == (seen.epoch, seen.counter);
        if !is_free {
            return None;
        }
        lease.owner = Some(owner.into());
        lease.epoch = Epoch(lease.epoch.0 + 1);
        lease.counter += 1;
        Some(lease.epoch)
    }

    /// Raises the counters of a replica and of leases that it still holds, and returns those that it does not.
    pub(crate) fn renew(&mut self, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Vec<Partition> {
        if stands {
            *self.replicas.entry(replica.to_owned()).or_insert(0) += 1;
        } else {
            self.replicas.remove(replica);
        }
        let mut lost = Vec::new();
        for (partition, epoch) in held {
            let lease = &mut self.tables_mut(*partition).lease;
            if lease.epoch == *epoch && lease.owner.is_some() {
                lease.counter += 1;
            } else {
                lost.push(*partition);
            }
        }
        lost
    }

    /// Gives a lease back.
    pub(crate) fn release(&mut self, partition: Partition, epoch: Epoch) -> Result<(), Trouble> {
        let lease = &mut self.tables_mut(partition).lease;
        if lease.epoch != epoch || lease.owner.is_none() {
            return Err(Trouble::Fenced);
        }
        lease.owner = None;
        lease.counter += 1;
        Ok(())
    }
}
