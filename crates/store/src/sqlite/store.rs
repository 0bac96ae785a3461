//! The owner's side.

use std::{path::Path, sync::Arc};

use uuid::Uuid;
use warren_model::{InstanceId, Partition, Status, Timestamp, TurnRecord};

use super::{SqliteReader, commit, expire, file, lease, load, payload, sweep, worker::Worker};
use crate::{
    Commit, Epoch, Expired, Filter, Hub, HubSpec, InstanceView, Lease, Load, Loaded, Page, PartitionState, PayloadRow,
    Payloads, Queries, Renewal, Result, Store, Survey, Sweep, Swept, TaskNote, TimerRow, TurnKey, TurnRow,
};

/// A hub in a SQLite file, with the right to write it. Cheap to clone; the last clone closes the file.
///
/// What an owner reads when it is in doubt (leases, a partition's state) queues with the writes, so that a commit nobody
/// waits for any more has ended by then. What it reads for the next batch does not: that overlaps the commit before.
#[derive(Clone)]
pub struct Sqlite {
    writes: Arc<Worker>,
    reads: Arc<Worker>,
    queries: SqliteReader,
}

impl Sqlite {
    /// Opens the hub's file; makes the folder, the file and the hub if they are absent.
    pub fn open(path: &Path, spec: &HubSpec) -> Result<Self> {
        let (writing, _) = file::writer(path, spec)?;
        let (reading, _) = file::reader(path, &spec.name)?;
        let queries = SqliteReader::open(path, &spec.name)?;
        Ok(Self { writes: Arc::new(Worker::spawn(writing)?), reads: Arc::new(Worker::spawn(reading)?), queries })
    }
}

impl Store for Sqlite {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.queries)
    }

    async fn survey(&self) -> Result<Survey> {
        self.writes.run(|connection| lease::survey(connection)).await
    }

    async fn acquire(&self, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
        let (seen, owner) = (seen.clone(), owner.to_owned());
        self.writes.run(move |connection| lease::acquire(connection, &seen, &owner)).await
    }

    async fn renew(&self, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Result<Renewal> {
        let (replica, held) = (replica.to_owned(), held.to_vec());
        self.writes.run(move |connection| lease::renew(connection, &replica, stands, &held)).await
    }

    async fn release(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.writes.run(move |connection| lease::release(connection, partition, epoch)).await
    }

    async fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
        self.writes.run(move |connection| load::partition(connection, partition, epoch)).await
    }

    async fn supersede(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.writes.run(move |connection| lease::supersede(connection, partition, epoch)).await
    }

    async fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
        self.reads.run(move |connection| load::load(connection, partition, epoch, load)).await
    }

    async fn turns(&self, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
        self.reads.run(move |connection| load::turns(connection, partition, epoch, keys)).await
    }

    async fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TimerRow>> {
        self.reads.run(move |connection| load::timers(connection, partition, epoch, until, limit)).await
    }

    async fn sweep(&self, partition: Partition, epoch: Epoch, sweep: Sweep) -> Result<Swept> {
        self.reads.run(move |connection| sweep::sweep(connection, partition, epoch, &sweep)).await
    }

    async fn commit_together(&self, commits: Vec<Commit>) -> Vec<Result<()>> {
        let count = commits.len();
        let written = self.writes.run(move |connection| commit::commit(connection, &commits)).await;
        written.unwrap_or_else(|error| vec![Err(error); count])
    }

    async fn expire(
        &self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Expired> {
        let held = (partition, epoch);
        self.writes.run(move |connection| expire::expire(connection, held, answered_before, now, limit)).await
    }
}

impl Payloads for Sqlite {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.writes.run(move |connection| payload::keep(connection, &row)).await
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        self.queries.payload(partition, id).await
    }

    async fn can_write(&self) -> Result<()> {
        self.writes.run(|connection| payload::can_write(connection)).await
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        self.writes.run(move |connection| payload::drop_all(connection, partition, &ids)).await
    }
}

/// Clients' reads go past both threads.
impl Queries for Sqlite {
    fn hub(&self) -> &Hub {
        Queries::hub(&self.queries)
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        self.queries.instance(id).await
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        self.queries.history(id, from, limit).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        self.queries.list(filter).await
    }

    async fn quarantined(&self, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
        self.queries.quarantined(instance, most).await
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        self.queries.counts().await
    }

    async fn survey(&self) -> Result<Survey> {
        Queries::survey(&self.queries).await
    }
}
