//! Large payloads, which clients and workers write too.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;
use warren_model::{Partition, Timestamp};

use super::{
    columns::{Micros, Text, limit},
    error::of_row,
    file, lease,
    worker::Worker,
};
use crate::{Error, PayloadRow, Payloads, Result};

/// The right to write payloads, and nothing else, from any process of the machine. Cheap to clone.
///
/// Its connection is opened when it is first used. What it writes waits for the owner's commits and they for it; both are
/// short, and both wait long enough.
#[derive(Clone)]
pub struct SqlitePayloads(Arc<Lazy>);

struct Lazy {
    path: PathBuf,
    hub: String,
    worker: OnceLock<Worker>,
}

impl SqlitePayloads {
    /// Returns the payloads of a hub's file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>, hub_name: &str) -> Self {
        Self(Arc::new(Lazy { path: path.into(), hub: hub_name.into(), worker: OnceLock::new() }))
    }

    /// Does a job on the connection. Whoever comes first opens it.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.0.worker.get().is_none() {
            let worker = Worker::spawn(file::payload_writer(&self.0.path, &self.0.hub)?)?;
            // Another call may have been faster; its worker is as good.
            let _ = self.0.worker.set(worker);
        }
        self.0.worker.get().expect("it was set above").run(job).await
    }
}

impl Payloads for SqlitePayloads {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.run(move |connection| keep(connection, &row)).await
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        self.run(move |connection| find(connection, partition, id)).await
    }

    async fn can_write(&self) -> Result<()> {
        self.run(|connection| can_write(connection)).await
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        self.run(move |connection| drop_all(connection, partition, &ids)).await
    }
}

/// Keeps a payload unless it is there.
pub(super) fn keep(connection: &Connection, row: &PayloadRow) -> Result<()> {
    let key = || (row.partition.0, Text(row.id));
    if connection.prepare_cached("SELECT 1 FROM payload WHERE partition = ?1 AND id = ?2")?.exists(key())? {
        return Ok(()); // without a wait for the lock
    }
    let name = || format!("payload {} of instance {}", row.id, row.instance);
    let (partition, id) = key();
    let values = (partition, id, row.instance.as_str(), row.execution.map(Text), Micros(lease::now()), &*row.body);
    let sql = "INSERT INTO payload (partition, id, instance, execution, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (partition, id) DO NOTHING";
    connection.prepare_cached(sql)?.execute(values).map_err(|error| of_row(error, name))?;
    Ok(())
}

/// Returns a payload.
pub(super) fn find(connection: &Connection, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
    let mut statement = connection.prepare_cached("SELECT body FROM payload WHERE partition = ?1 AND id = ?2")?;
    Ok(statement.query_row((partition.0, Text(id)), |row| row.get(0)).optional()?)
}

/// Fails if the file may not be written. Takes no lock.
pub(super) fn can_write(connection: &Connection) -> Result<()> {
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Err(Error::Unavailable("the file is read-only: let this user write it".into()));
    }
    Ok(())
}

/// Removes payloads.
pub(super) fn drop_all(connection: &mut Connection, partition: Partition, ids: &[Uuid]) -> Result<()> {
    let transaction = connection.transaction()?;
    for id in ids {
        let key = (partition.0, Text(id));
        transaction.prepare_cached("DELETE FROM payload WHERE partition = ?1 AND id = ?2")?.execute(key)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Removes old payloads that no running execution has a task for. Returns how many.
pub(super) fn expire(transaction: &Connection, partition: Partition, before: Timestamp, most: usize) -> Result<usize> {
    let sql = "DELETE FROM payload WHERE partition = ?1 AND id IN (
        SELECT id FROM payload AS p WHERE partition = ?1 AND at < ?2 AND NOT EXISTS (
            SELECT 1 FROM instance AS i WHERE i.partition = ?1 AND i.id = p.instance AND i.execution = p.execution
                AND i.status IN ('Pending', 'Running', 'Suspended'))
        ORDER BY at LIMIT ?3)";
    Ok(transaction.prepare_cached(sql)?.execute((partition.0, Micros(before), limit(most)))?)
}
