//! Partitions: which queue and which owner an instance belongs to.

use std::{fmt, num::NonZeroU16};

use serde::{Deserialize, Serialize};

use crate::InstanceId;

/// One share of a hub's instances, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// How many partitions a hub has; fixed when the hub is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionCount(pub NonZeroU16);

impl PartitionCount {
    /// Returns the partition of an instance: a hash of its id that never changes, modulo the count.
    pub fn of(self, instance: &InstanceId) -> Partition {
        let hash = mix(fnv1a(instance.as_str().as_bytes()));
        #[expect(clippy::cast_possible_truncation, reason = "a remainder by a u16 fits a u16")]
        let index = (hash % u64::from(self.0.get())) as u16;
        Partition(index)
    }

    /// Returns every partition, in order.
    pub fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.0.get()).map(Partition)
    }
}

/// FNV-1a, 64 bits (public domain constants of Fowler, Noll and Vo).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads the high bits into the low ones, which FNV leaves poor (the finaliser of MurmurHash3).
fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
#[path = "partition_test.rs"]
mod test;
