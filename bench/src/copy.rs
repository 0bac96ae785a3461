//! Many waiting instances from one real one: its rows again, under other ids.
//!
//! An instance was started and has come to wait; its rows of `instance`, `history` and `timer` are written again, as its
//! owner wrote them, but for the partition, the instance's id, the execution's and the start's. No owner may run
//! meanwhile: it would not know of timers that come due soon.

use anyhow::{Context, bail};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;
use warren_model::{InstanceId, PartitionCount};

use crate::load::fresh_id;

/// Rows in one transaction.
const CHUNK: usize = 20_000;

/// The database of one hub, behind the services' back.
pub(crate) struct Rows {
    client: Client,
    partitions: PartitionCount,
}

/// The rows of `$1`, an array each of partitions, ids and executions, in place of instance `$4`.
const NEW: &str = "FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS new (partition, id, execution)";

impl Rows {
    pub(crate) async fn connect(store: &str, hub: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(store, NoTls).await.context("connect to the database")?;
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = 'warren_{hub}'; SET synchronous_commit = off")).await?;
        let count: i32 = client.query_one("SELECT partitions FROM hub", &[]).await?.get(0);
        let partitions = PartitionCount(u16::try_from(count)?.try_into()?);
        Ok(Self { client, partitions })
    }

    /// Writes so many copies of an instance; returns their ids.
    pub(crate) async fn copy(&mut self, of: &InstanceId, count: usize) -> anyhow::Result<Vec<InstanceId>> {
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let chunk: Vec<InstanceId> = (0..CHUNK.min(count - ids.len())).map(|_| fresh_id()).collect();
            self.write(of, &chunk).await?;
            ids.extend(chunk);
        }
        Ok(ids)
    }

    async fn write(&mut self, of: &InstanceId, ids: &[InstanceId]) -> anyhow::Result<()> {
        let partitions: Vec<i32> = ids.iter().map(|id| self.partitions.of(id).0.into()).collect();
        let executions: Vec<Uuid> = ids.iter().map(|_| Uuid::new_v4()).collect();
        let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
        let transaction = self.client.transaction().await?;
        for (table, id, rest) in [
            ("instance", "id", "'start_id', new.id"),
            (
                "history",
                "instance",
                "'body', replace(old.body, replace(old.execution::text, '-', ''), replace(new.execution::text, '-', ''))",
            ),
            ("timer", "instance", "'id', old.id"),
        ] {
            let sql = format!(
                "INSERT INTO {table} SELECT made.* {NEW}, {table} AS old, LATERAL jsonb_populate_record(old,
                    jsonb_build_object('partition', new.partition, 'execution', new.execution, {rest}, '{id}', new.id)
                ) AS made WHERE old.{id} = $4"
            );
            let written = transaction.execute(&sql, &[&partitions, &ids, &executions, &of.as_str()]).await?;
            if table != "timer" && written < ids.len() as u64 {
                bail!("{table} has no row of instance {of} to copy");
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Brings statistics up to date and flushes what was written, so that neither disturbs what follows.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        for table in ["instance", "history", "timer"] {
            self.client.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await?;
        }
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }

    /// Returns how many instances wait, and how many timers.
    pub(crate) async fn waiting(&self) -> anyhow::Result<(i64, i64)> {
        let sql = "SELECT (SELECT count(*) FROM instance WHERE status = 'Running'), (SELECT count(*) FROM timer)";
        let row = self.client.query_one(sql, &[]).await?;
        Ok((row.get(0), row.get(1)))
    }

    /// Returns how many replicas own partitions.
    pub(crate) async fn owners(&self) -> anyhow::Result<i64> {
        Ok(self.client.query_one("SELECT count(DISTINCT owner) FROM lease", &[]).await?.get(0))
    }

    /// Returns how many instances of an orchestrator run, and how many events their histories have.
    pub(crate) async fn events(&self, name: &str) -> anyhow::Result<(i64, i64)> {
        let sql = "SELECT count(*), coalesce(sum(last.history_events), 0)::bigint FROM instance AS i, LATERAL (
                SELECT history_events FROM history
                WHERE partition = i.partition AND instance = i.id AND execution = i.execution ORDER BY turn DESC LIMIT 1
            ) AS last WHERE i.name = $1 AND i.status = 'Running'";
        let row = self.client.query_one(sql, &[&name]).await?;
        Ok((row.get(0), row.get(1)))
    }

    /// Returns how many timers are due by the database's clock and have not fired.
    pub(crate) async fn due(&self) -> anyhow::Result<i64> {
        let sql = "SELECT count(*) FROM timer WHERE partition = ANY ($1) AND fire_at <= clock_timestamp()";
        let all: Vec<i32> = self.partitions.all().map(|partition| partition.0.into()).collect();
        Ok(self.client.query_one(sql, &[&all]).await?.get(0))
    }

    /// Returns how many of an orchestrator's instances have completed.
    pub(crate) async fn completed(&self, name: &str) -> anyhow::Result<i64> {
        let sql = "SELECT count(*) FROM instance WHERE name = $1 AND status = 'Completed'";
        Ok(self.client.query_one(sql, &[&name]).await?.get(0))
    }
}
