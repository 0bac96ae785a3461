//! Reading from any process.

use deadpool_postgres::Pool;
use warren_model::{InstanceId, Status, TurnRecord};

use super::{
    lease,
    pool::{Use, pool},
    schema,
    url::Address,
    view,
};
use crate::{Filter, Hub, InstanceView, Page, Queries, Result, Survey};

/// Reads a hub while its owners write. Cheap to clone.
#[derive(Clone)]
pub struct PostgresReader {
    hub: Hub,
    pool: Pool,
}

impl PostgresReader {
    /// Opens the hub to read. While orchestrator-svc has not made it, this is [`Error::Unavailable`](crate::Error).
    pub async fn open(url: &str, hub_name: &str) -> Result<Self> {
        let address = Address::parse(url, hub_name)?;
        let pool = pool(&address, Use::Queries)?;
        let hub = schema::look(&pool.get().await?, &address, hub_name).await?;
        Ok(Self { hub, pool })
    }

    /// Returns a reader of a hub that has been opened already.
    pub(super) fn of(hub: Hub, address: &Address) -> Result<Self> {
        Ok(Self { hub, pool: pool(address, Use::Queries)? })
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

    async fn survey(&self) -> Result<Survey> {
        lease::survey(&self.pool).await
    }
}
