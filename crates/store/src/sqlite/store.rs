//! The owner's side.

use std::{path::Path, sync::Arc};

use warren_model::{InstanceId, Partition, Status, Timestamp, TurnRecord};

use super::{SqliteReader, commit, expire, file, lease, load, worker::Worker};
use crate::{
    Commit, Epoch, Filter, Hub, HubSpec, InstanceView, Lease, Load, Loaded, Page, PartitionState, PendingRow, Queries,
    Renewal, Result, Store, TimerRow, TurnKey, TurnRow,
};

/// A hub in a SQLite file, with the right to write it. Cheap to clone; the last clone closes the file.
#[derive(Clone)]
pub struct Sqlite {
    worker: Arc<Worker>,
    reader: SqliteReader,
}

impl Sqlite {
    /// Opens the hub's file; makes the folder, the file and the hub if they are absent.
    pub fn open(path: &Path, spec: &HubSpec) -> Result<Self> {
        let (connection, _) = file::writer(path, spec)?;
        let reader = SqliteReader::open(path, &spec.name)?;
        Ok(Self { worker: Arc::new(Worker::spawn(connection)?), reader })
    }
}

impl Store for Sqlite {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.reader)
    }

    async fn leases(&self) -> Result<(Vec<Lease>, Timestamp)> {
        self.worker.run(|connection| Ok((lease::all(connection)?, lease::now()))).await
    }

    async fn acquire(&self, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
        let (seen, owner) = (seen.clone(), owner.to_owned());
        self.worker.run(move |connection| lease::acquire(connection, &seen, &owner)).await
    }

    async fn renew(&self, held: &[(Partition, Epoch)]) -> Result<Renewal> {
        let held = held.to_vec();
        self.worker.run(move |connection| lease::renew(connection, &held)).await
    }

    async fn release(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.worker.run(move |connection| lease::release(connection, partition, epoch)).await
    }

    async fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
        self.worker.run(move |connection| load::partition(connection, partition, epoch)).await
    }

    async fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
        self.worker.run(move |connection| load::load(connection, partition, epoch, load)).await
    }

    async fn turns(&self, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
        self.worker.run(move |connection| load::turns(connection, partition, epoch, keys)).await
    }

    async fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TimerRow>> {
        self.worker.run(move |connection| load::timers(connection, partition, epoch, until, limit)).await
    }

    async fn commit(&self, commit: Commit) -> Result<()> {
        self.worker.run(move |connection| commit::commit(connection, &commit)).await
    }

    async fn expire(
        &self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingRow>> {
        let held = (partition, epoch);
        self.worker.run(move |connection| expire::expire(connection, held, answered_before, now, limit)).await
    }
}

/// Clients' reads go past the writer's queue.
impl Queries for Sqlite {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.reader)
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        self.reader.instance(id).await
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        self.reader.history(id, from, limit).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        self.reader.list(filter).await
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        self.reader.counts().await
    }

    async fn leases(&self) -> Result<Vec<Lease>> {
        Queries::leases(&self.reader).await
    }
}
