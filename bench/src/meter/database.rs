//! What the database has written, by its own statistics.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

/// How long sessions of PostgreSQL may keep their statistics to themselves.
const LATE: Duration = Duration::from_millis(1_500);

/// What it must be set to, so that what is committed survives a loss of power.
const DURABLE: [(&str, &str); 3] = [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")];
/// What else is worth knowing of it.
const TOLD: [&str; 4] = ["server_version", "wal_sync_method", "shared_buffers", "max_wal_size"];

/// A connection for questions.
pub(crate) struct Database(Client);

/// What was written so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Transactions that were committed, readers' and leases' included.
    pub(crate) commits: i64,
    /// Rows that were inserted, changed or deleted.
    pub(crate) rows: i64,
    /// Bytes of the write-ahead log.
    pub(crate) log_bytes: i64,
}

impl Database {
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connect to the database")?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    /// Fails unless it keeps what it commits; returns how it is set.
    pub(crate) async fn settings(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut settings = Vec::new();
        for name in DURABLE.iter().map(|(name, _)| *name).chain(TOLD) {
            let value: String = self.0.query_one("SELECT current_setting($1)", &[&name]).await?.get(0);
            settings.push((name.to_owned(), value));
        }
        for ((name, value), (_, durable)) in settings.iter().zip(DURABLE) {
            ensure!(value == durable, "PostgreSQL has {name} = {value}: figures count only with {durable}");
        }
        Ok(settings)
    }

    /// Returns what was written so far, once every session has told.
    pub(crate) async fn written(&self) -> anyhow::Result<Written> {
        sleep(LATE).await;
        let sql = "SELECT xact_commit, tup_inserted + tup_updated + tup_deleted, wal_bytes::bigint
            FROM pg_stat_database, pg_stat_wal WHERE datname = current_database()";
        let row = self.0.query_one(sql, &[]).await.context("read the database's statistics")?;
        Ok(Written { commits: row.get(0), rows: row.get(1), log_bytes: row.get(2) })
    }

    /// Brings what was written to where it stays, so that it doesn't disturb what follows.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        Ok(self.0.batch_execute("CHECKPOINT").await?)
    }
}
