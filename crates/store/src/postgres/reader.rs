//! Reading from any process.

use std::sync::Arc;

use deadpool_postgres::Pool;
use uuid::Uuid;
use warren_model::{InstanceId, Partition, Status, TurnRecord};

use super::{
    PostgresPayloads, lease,
    pool::{Use, pool},
    schema,
    url::Address,
    view,
};
use crate::{Filter, Hub, InstanceView, Page, PayloadRow, Payloads, Queries, Result, Survey, TaskNote};

/// Reads a hub while its owners write. Cheap to clone.
#[derive(Clone)]
pub struct PostgresReader {
    hub: Hub,
    pool: Pool,
    payloads: PostgresPayloads,
}

impl PostgresReader {
    /// Opens the hub to read. While orchestrator-svc has not made it, this is [`Error::Unavailable`](crate::Error).
    pub async fn open(url: &str, hub_name: &str) -> Result<Self> {
        let address = Address::parse(url, hub_name)?;
        let pool = pool(&address, Use::Queries)?;
        let hub = schema::look(&pool.get().await?, &address, hub_name).await?;
        Ok(Self { hub, pool, payloads: PostgresPayloads::at(&address)? })
    }

    /// Returns a reader of a hub that has been opened already.
    pub(super) fn of(hub: Hub, address: &Address) -> Result<Self> {
        Ok(Self { hub, pool: pool(address, Use::Queries)?, payloads: PostgresPayloads::at(address)? })
    }
}

impl Queries for PostgresReader {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        view::view(&self.pool, self.hub.partitions.of(id), id).await
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        view::history(&self.pool, self.hub.partitions.of(id), id, from, limit).await
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        view::list(&self.pool, filter).await
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        view::counts(&self.pool).await
    }

    async fn quarantined(&self, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
        view::quarantined(&self.pool, instance, most).await
    }

    async fn survey(&self) -> Result<Survey> {
        lease::survey(&self.pool).await
    }
}

/// Clients' commands may have large payloads.
impl Payloads for PostgresReader {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.payloads.keep_payload(row).await
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        self.payloads.payload(partition, id).await
    }

    async fn can_write(&self) -> Result<()> {
        self.payloads.can_write().await
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        self.payloads.drop_payloads(partition, ids).await
    }
}
