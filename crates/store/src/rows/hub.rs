//! A hub, and who owns its partitions.

use std::fmt;

use warren_model::{Partition, PartitionCount, Timestamp};

use crate::Epoch;

/// What a hub is to be when it is made; a store that holds another one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSpec {
    /// Its name.
    pub name: String,
    /// How many partitions it has, for ever.
    pub partitions: PartitionCount,
}

/// A hub as the store holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: PartitionCount,
    /// The key of token digests; made at random with the hub. Never printed.
    pub secret: [u8; 16],
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("name", &self.name).field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

/// The state of a partition's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which partition.
    pub partition: Partition,
    /// Who holds it; `None` after a release.
    pub owner: Option<String>,
    /// Rises with each change of owner.
    pub epoch: Epoch,
    /// Rises with each renewal.
    pub counter: i64,
}

/// A process that stands for a share of the partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it calls itself in leases.
    pub replica: String,
    /// Rises with each renewal. Who has stopped renewing is forgotten after a minute.
    pub counter: i64,
}

/// Who owns what at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Every partition's lease, in order.
    pub leases: Vec<Lease>,
    /// Who stands for partitions, by name.
    pub replicas: Vec<Standing>,
    /// The database's clock.
    pub now: Timestamp,
}

/// What a renewal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The partitions that somebody else has taken.
    pub lost: Vec<Partition>,
    /// The database's clock.
    pub now: Timestamp,
}
