//! Which partitions a replica takes and which it hands over: shared evenly, judged by its own monotonic clock. No I/O
//! and no clock here, so that the simulation runs the same rules.

use std::{collections::BTreeMap, time::Duration};

use warren_model::Partition;
use warren_store::{Lease, Standing, Survey};

/// What this replica has seen of every lease and of every replica.
#[derive(Debug)]
pub struct Leases {
    replica: String,
    lapse: Duration,
    leases: BTreeMap<Partition, (Lease, Duration)>,
    replicas: BTreeMap<String, Seen>,
    /// Since when nobody has held these.
    free: BTreeMap<Partition, Duration>,
}

/// Another replica.
#[derive(Clone, Copy, Debug)]
struct Seen {
    counter: i64,
    since: Duration,
    /// Whether it has renewed under this replica's eyes: what a dead one has left behind never does.
    has_moved: bool,
}

/// What to do about a survey.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// Leases to try for, in this order: nobody holds them, or their holder has given no sign of life for the lease time.
    pub take: Vec<Lease>,
    /// Partitions to drain and release: others have less than their share.
    pub give: Vec<Partition>,
    /// How many replicas live, this one included if it stands for partitions.
    pub replicas: usize,
}

impl Leases {
    /// Returns the view of `replica`, by whose clock what does not change for `lapse` has lapsed.
    pub fn new(replica: impl Into<String>, lapse: Duration) -> Self {
        Self {
            replica: replica.into(),
            lapse,
            leases: BTreeMap::new(),
            replicas: BTreeMap::new(),
            free: BTreeMap::new(),
        }
    }

    /// Takes a survey that was begun at `now`, on a clock that never goes back. `held` are the partitions whose sessions
    /// run, `giving` those that are being drained already; a replica that does not stand takes nothing.
    ///
    /// What nobody takes for a quarter of the lapse is taken beyond the share too: who was to take it may have died, and a
    /// lack of balance is mended later, a standstill is not.
    pub fn advise(
        &mut self,
        survey: Survey,
        now: Duration,
        stands: bool,
        held: &[Partition],
        giving: &[Partition],
    ) -> Advice {
        let share = self.share(&survey, now, stands);
        let free = self.free(&survey.leases, now);
        let has = held.len() + giving.len();
        let is_mine = |lease: &Lease| held.contains(&lease.partition) || giving.contains(&lease.partition);
        // Each begins elsewhere, so that two that see the same rarely try for the same.
        let mut take: Vec<Lease> = free.into_iter().filter(|lease| !is_mine(lease)).collect();
        let first = share.rank * take.len() / share.replicas.max(1);
        take.rotate_left(first);
        let idle = |lease: &Lease| {
            self.free.get(&lease.partition).is_some_and(|since| now.saturating_sub(*since) >= self.lapse / 4)
        };
        let mut room = share.target.saturating_sub(has);
        take.retain(|lease| {
            let is_taken = stands && (room > 0 || idle(lease));
            room = room.saturating_sub(usize::from(is_taken));
            is_taken
        });
        let give = if stands { held.iter().skip(share.target).copied().collect() } else { Vec::new() };
        Advice { take, give, replicas: share.replicas }
    }

    /// Whoever lives gets the same number, give or take one; those that have more now get the one more, so that nothing
    /// moves without need.
    fn share(&mut self, survey: &Survey, now: Duration, stands: bool) -> Share {
        self.see(&survey.replicas, now);
        let is_live = |(name, seen): &(&String, &Seen)| {
            **name != self.replica && seen.has_moved && now.saturating_sub(seen.since) < self.lapse
        };
        let others = self.replicas.iter().filter(is_live).map(|(name, _)| name.as_str());
        let mut live: Vec<&str> = others.chain(stands.then_some(self.replica.as_str())).collect();
        let held = |name: &str| survey.leases.iter().filter(|lease| lease.owner.as_deref() == Some(name)).count();
        live.sort_by_cached_key(|name| (std::cmp::Reverse(held(name)), *name));
        let replicas = live.len();
        let Some(rank) = live.iter().position(|name| *name == self.replica) else {
            return Share { target: 0, rank: 0, replicas };
        };
        let all = survey.leases.len();
        Share { target: all / replicas + usize::from(rank < all % replicas), rank, replicas }
    }

    fn see(&mut self, standing: &[Standing], now: Duration) {
        let before = std::mem::take(&mut self.replicas);
        for Standing { replica, counter } in standing {
            let seen = match before.get(replica) {
                Some(seen) if seen.counter == *counter => *seen,
                other => Seen { counter: *counter, since: now, has_moved: other.is_some() },
            };
            self.replicas.insert(replica.clone(), seen);
        }
    }

    fn free(&mut self, leases: &[Lease], now: Duration) -> Vec<Lease> {
        let mut free = Vec::new();
        for lease in leases {
            let before = self.leases.get(&lease.partition).filter(|(before, _)| before == lease);
            let since = before.map_or(now, |(_, since)| *since);
            // Nobody else has this replica's name: what it does not hold under it was acquired without its knowing.
            let is_own = lease.owner.as_ref() == Some(&self.replica);
            let is_free = lease.owner.is_none() || now.saturating_sub(since) >= self.lapse;
            if is_free {
                self.free.entry(lease.partition).or_insert(now);
            } else {
                self.free.remove(&lease.partition);
            }
            if is_free || is_own {
                free.push(lease.clone());
            }
            self.leases.insert(lease.partition, (lease.clone(), since));
        }
        free
    }
}

/// A replica's share of the partitions.
struct Share {
    target: usize,
    /// Its place among those that live.
    rank: usize,
    replicas: usize,
}

#[cfg(test)]
#[path = "leases_test.rs"]
mod test;
