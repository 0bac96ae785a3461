//! How long a partition stands still when its owner is gone: from the fault to the first commit of the next owner.

use serde::Serialize;
use tokio::time::Instant;

/// How many hexadecimal digits tell the lives of a replica apart.
const LIFE_DIGITS: usize = 32;

/// A partition's lease and the number of its last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) partition: i32,
    pub(crate) owner: Option<String>,
    pub(crate) epoch: i64,
    pub(crate) number: i64,
}

impl Lease {
    /// Names the process that owns the partition: a lease names its owner so, and adds which of its lives it is.
    pub(crate) fn replica(&self) -> Option<&str> {
        let owner = self.owner.as_deref()?;
        match owner.rsplit_once('-') {
            Some((name, life)) if life.len() == LIFE_DIGITS && life.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Some(name)
            }
            Some(_) | None => Some(owner),
        }
    }
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Takeovers {
    open: Vec<Open>,
    pub(crate) done: Vec<Takeover>,
    /// How many of the broker and the database are away.
    away: i32,
}

/// A partition whose owner is gone.
#[derive(Debug)]
struct Open {
    fault: usize,
    lease: Lease,
    since: Instant,
    is_polite: bool,
    is_disturbed: bool,
}

/// A partition that has found another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Takeover {
    /// Which fault it was.
    pub(crate) fault: usize,
    /// The partition.
    pub(crate) partition: i32,
    /// From the fault to the first commit of the next owner.
    pub(crate) ms: u64,
    /// Whether the owner was asked to leave, and handed over.
    pub(crate) is_polite: bool,
    /// Whether the broker or the database was away meanwhile.
    pub(crate) is_disturbed: bool,
}

impl Takeovers {
    /// Begins to measure for every partition of an owner.
    pub(crate) fn strike(&mut self, leases: &[Lease], (fault, owner, is_polite): (usize, &str, bool), now: Instant) {
        for lease in leases.iter().filter(|lease| lease.replica() == Some(owner)) {
            let is_disturbed = self.away > 0;
            self.open.push(Open { fault, lease: lease.clone(), since: now, is_polite, is_disturbed });
        }
    }

    /// Takes a reading. A partition has been taken over once there is a commit under another epoch: one more than the last
    /// that was seen under the old one.
    pub(crate) fn see(&mut self, leases: &[Lease], now: Instant) {
        let done = &mut self.done;
        self.open.retain_mut(|open| {
            let Some(lease) = leases.iter().find(|lease| lease.partition == open.lease.partition) else { return true };
            if lease.epoch == open.lease.epoch || lease.number <= open.lease.number {
                // The owner may have committed until the moment of the fault, and one that drains after it.
                open.lease.number = open.lease.number.max(lease.number);
                return true;
            }
            let ms = u64::try_from(now.duration_since(open.since).as_millis()).unwrap_or(u64::MAX);
            let Open { fault, is_polite, is_disturbed, .. } = *open;
            done.push(Takeover { fault, partition: lease.partition, ms, is_polite, is_disturbed });
            false
        });
    }

    /// Gives up on the partitions of an owner that goes on.
    pub(crate) fn survived(&mut self, fault: usize) {
        self.open.retain(|open| open.fault != fault);
    }

    /// Returns whether nothing is open, and both servers are there.
    pub(crate) fn is_settled(&self) -> bool {
        self.open.is_empty() && self.away == 0
    }

    /// Marks all that is open.
    pub(crate) fn disturb(&mut self) {
        for open in &mut self.open {
            open.is_disturbed = true;
        }
    }

    /// Counts a server that has gone away or come back.
    pub(crate) fn outages(&mut self, change: i32) {
        self.away += change;
    }
}

/// The middle and the end of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Spread {
    /// How many there are.
    pub(crate) count: usize,
    /// The median.
    pub(crate) p50: u64,
    /// The longest.
    pub(crate) max: u64,
}

impl Spread {
    /// Returns the spread of some times.
    pub(crate) fn of(times: impl Iterator<Item = u64>) -> Self {
        let mut times: Vec<u64> = times.collect();
        times.sort_unstable();
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        Self { count: times.len(), p50: at(times.len() / 2), max: times.last().copied().unwrap_or_default() }
    }
}

#[cfg(test)]
#[path = "takeover_test.rs"]
mod test;
