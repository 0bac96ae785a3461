//! Large payloads, which clients and workers write too.

use std::sync::Arc;

use deadpool_postgres::Pool;
use uuid::Uuid;
use warren_model::Partition;

use super::{
    columns::uuid,
    lease::key,
    pool::{Use, pool},
    url::Address,
};
use crate::{Error, PayloadRow, Payloads, Result};

/// The right to write payloads, and nothing else, from any process. Cheap to clone; it connects when it is first used.
#[derive(Clone)]
pub struct PostgresPayloads(Pool);

impl PostgresPayloads {
    /// Returns the payloads of a hub, which need not be there yet. `url` is as for [`Postgres`](super::Postgres).
    pub fn new(url: &str, hub_name: &str) -> Result<Self> {
        Self::at(&Address::parse(url, hub_name)?)
    }

    pub(super) fn at(address: &Address) -> Result<Self> {
        Ok(Self(pool(address, Use::Payloads)?))
    }
}

impl Payloads for PostgresPayloads {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        let client = self.0.get().await?;
        let at = key(row.partition);
        let find = client.prepare_cached("SELECT FROM payload WHERE partition = $1 AND id = $2").await?;
        if client.query_opt(&find, &[&at, &row.id]).await?.is_some() {
            return Ok(()); // without sending it
        }
        let sql = "INSERT INTO payload (partition, id, instance, execution, body) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (partition, id) DO NOTHING";
        let insert = client.prepare_cached(sql).await?;
        let execution = row.execution.map(uuid);
        client.execute(&insert, &[&at, &row.id, &row.instance.as_str(), &execution, &&*row.body]).await?;
        Ok(())
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        let client = self.0.get().await?;
        let statement = client.prepare_cached("SELECT body FROM payload WHERE partition = $1 AND id = $2").await?;
        let row = client.query_opt(&statement, &[&key(partition), &id]).await?;
        Ok(row.map(|row| row.try_get::<_, &[u8]>(0).map(Arc::from)).transpose()?)
    }

    async fn can_write(&self) -> Result<()> {
        let client = self.0.get().await?;
        let statement = client.prepare_cached("SELECT current_setting('transaction_read_only')").await?;
        match client.query_one(&statement, &[]).await?.try_get(0)? {
            "off" => Ok(()),
            _ => Err(Error::Unavailable("the PostgreSQL database is read-only, or a standby".into())),
        }
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        let client = self.0.get().await?;
        let sql = "DELETE FROM payload WHERE partition = $1 AND id = ANY ($2)";
        let statement = client.prepare_cached(sql).await?;
        client.execute(&statement, &[&key(partition), &ids]).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "payload_test.rs"]
mod test;
