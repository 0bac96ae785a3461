//! Reading from any process of the machine.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleResult};
use rusqlite::Connection;
use tokio::task::spawn_blocking;
use uuid::Uuid;
use warren_model::{InstanceId, Partition, Status, TurnRecord};

use super::{SqlitePayloads, file, lease, payload, view};
use crate::{Error, Filter, Hub, InstanceView, Page, PayloadRow, Payloads, Queries, Result, Survey, TaskNote};

/// How many queries run at once; more wait. Reads are short, and the machine has other work.
const CONNECTIONS: usize = 4;
/// How often [`SqliteReader::wait`] looks for the file.
const LOOK: Duration = Duration::from_millis(200);

/// Reads a hub's file while its owner writes. Cheap to clone.
#[derive(Clone)]
pub struct SqliteReader {
    hub: Hub,
    pool: Pool<Connections>,
    payloads: SqlitePayloads,
}

impl SqliteReader {
    /// Opens the hub's file to read. While orchestrator-svc has not made it, this is [`Error::Unavailable`].
    pub fn open(path: &Path, hub_name: &str) -> Result<Self> {
        let (_, hub) = file::reader(path, hub_name)?;
        let manager = Connections { path: path.into(), hub: hub_name.into() };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .build()
            .expect("a pool without timeouts needs no runtime to build");
        Ok(Self { hub, pool, payloads: SqlitePayloads::new(path, hub_name) })
    }

    /// Opens the hub's file as soon as it is there, however long that takes; drop the future to give up. Fails only
    /// with what does not pass: another hub, another version, no database.
    pub async fn wait(path: &Path, hub_name: &str) -> Result<Self> {
        let mut is_told = false;
        loop {
            let (owned_path, owned_name) = (path.to_owned(), hub_name.to_owned());
            match blocking(move || Self::open(&owned_path, &owned_name)).await {
                Err(Error::Unavailable(why)) => {
                    if !is_told {
                        tracing::info!(why, "waiting for the store");
                    }
                    is_told = true;
                    tokio::time::sleep(LOOK).await;
                }
                other => return other,
            }
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            other @ (PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => Error::Unavailable(other.to_string()),
        })?;
        blocking(move || query(&mut connection)).await
    }
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match spawn_blocking(job).await {
        Ok(result) => result,
        Err(error) => Err(Error::Unavailable(format!("a read of the SQLite database did not end: {error}"))),
    }
}

impl Queries for SqliteReader {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        let (partition, id) = (self.hub.partitions.of(id), id.clone());
        self.read(move |connection| view::view(connection, partition, &id)).await
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        let (partition, id) = (self.hub.partitions.of(id), id.clone());
        self.read(move |connection| view::history(connection, partition, &id, from, limit)).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        let filter = filter.clone();
        self.read(move |connection| view::list(connection, &filter)).await
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        self.read(|connection| view::counts(connection)).await
    }

    async fn quarantined(&self, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
        let instance = instance.cloned();
        self.read(move |connection| view::quarantined(connection, instance.as_ref(), most)).await
    }

    async fn survey(&self) -> Result<Survey> {
        self.read(|connection| lease::survey(connection)).await
    }
}

/// Clients' commands may have large payloads.
impl Payloads for SqliteReader {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.payloads.keep_payload(row).await
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        self.read(move |connection| payload::find(connection, partition, id)).await
    }

    async fn can_write(&self) -> Result<()> {
        self.payloads.can_write().await
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        self.payloads.drop_payloads(partition, ids).await
    }
}

/// Opens the pool's connections.
struct Connections {
    path: PathBuf,
    hub: String,
}

impl Manager for Connections {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection> {
        let (path, hub) = (self.path.clone(), self.hub.clone());
        blocking(move || file::reader(&path, &hub).map(|(connection, _)| connection)).await
    }

    /// A connection to a file does not break; a query that failed has ended its transaction.
    async fn recycle(&self, _: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        Ok(())
    }
}
