//! A simulated store: tables as a commit says, leases with epochs, a fence. What a real store refuses, this one refuses.

mod commit;
mod lease;
mod read;
mod tables;

use std::collections::BTreeMap;

use warren_model::{InstanceId, Partition, PartitionCount};
use warren_store::Epoch;

pub(crate) use self::tables::Tables;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Another epoch owns the partition.
    Fenced,
    /// A row that the store never takes.
    Refused(String),
    /// A number that does not follow.
    OutOfTurn(String),
    /// An instance that was taken for new is not.
    Used(InstanceId),
    /// It can't be reached.
    Away,
}

/// All partitions of the hub.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) partitions: BTreeMap<Partition, Tables>,
    count: PartitionCount,
    /// Who stands for partitions, and how often they have renewed.
    replicas: BTreeMap<String, i64>,
    /// A mutation: an epoch that is over may write.
    pub(crate) has_no_fence: bool,
    /// A mutation: whoever says that an instance is new is believed.
    pub(crate) believes_all: bool,
}

impl Store {
    pub(crate) fn new(count: PartitionCount) -> Self {
        let partitions = count.all().map(|partition| (partition, Tables::default())).collect();
        Self { partitions, count, replicas: BTreeMap::new(), has_no_fence: false, believes_all: false }
    }

    /// Returns the tables of an instance's partition.
    pub(crate) fn home(&self, instance: &InstanceId) -> &Tables {
        &self.partitions[&self.count.of(instance)]
    }

    pub(crate) fn tables(&self, partition: Partition) -> &Tables {
        &self.partitions[&partition]
    }

    fn tables_mut(&mut self, partition: Partition) -> &mut Tables {
        self.partitions.get_mut(&partition).expect("every partition of the hub has tables")
    }

    /// Fails unless `epoch` owns the partition.
    fn fence(&self, partition: Partition, epoch: Epoch) -> Result<(), Trouble> {
        let lease = &self.tables(partition).lease;
        let holds = lease.epoch == epoch && lease.owner.is_some();
        if holds || self.has_no_fence { Ok(()) } else { Err(Trouble::Fenced) }
    }
}

#[cfg(test)]
#[path = "store_test.rs"]
mod test;
