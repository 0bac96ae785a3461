//! Who owns which partition: leases that are counters, judged by this replica's own monotonic clock (H2).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use warren_model::Partition;
use warren_store::Lease;

/// What this replica has seen of every lease. Pure: the caller reads the clock.
#[derive(Debug)]
pub(crate) struct Watch {
    lapse: Duration,
    seen: BTreeMap<Partition, (Lease, Instant)>,
}

impl Watch {
    /// Leases that do not change for `lapse` may be taken over.
    pub(crate) fn new(lapse: Duration) -> Self {
        Self { lapse, seen: BTreeMap::new() }
    }

    /// Takes a reading of all leases at `now` and returns those that may be taken: nobody holds them, or their holder
    /// has given no sign of life for the lease time.
    pub(crate) fn free(&mut self, leases: Vec<Lease>, now: Instant) -> Vec<Lease> {
        let mut free = Vec::new();
        for lease in leases {
            let since = match self.seen.get(&lease.partition) {
                Some((before, since)) if *before == lease => *since,
                Some(_) | None => now,
            };
            if lease.owner.is_none() || now.duration_since(since) >= self.lapse {
                free.push(lease.clone());
            }
            self.seen.insert(lease.partition, (lease, since));
        }
        free
    }
}

#[cfg(test)]
#[path = "leases_test.rs"]
mod test;
