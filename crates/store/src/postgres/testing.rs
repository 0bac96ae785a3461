//! A schema for each test, in a database of the repository's own server or the one that WARREN_TEST_POSTGRES names.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio_postgres::{Client, NoTls, config::Host};
use uuid::Uuid;
use warren_model::{InstanceId, InstanceRecord};
use warren_testing::postgres_url;

use super::Postgres;
pub(super) use crate::conformance::sample::{FIRST, P0, spec};
use crate::{Commit, Epoch, Store, conformance::sample};

/// How long anything may take before a test gives up.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// A schema that no other test has; it goes with the value.
pub(crate) struct Place {
    pub(super) schema: String,
}

impl Place {
    pub(super) fn new() -> Self {
        Self::named(&format!("warren_test_{}", Uuid::new_v4().simple()))
    }

    pub(super) fn named(schema: &str) -> Self {
        Self { schema: schema.into() }
    }

    /// Returns the URL of the schema.
    pub(super) fn url(&self) -> String {
        self.url_with("")
    }

    /// Returns the URL of the schema with further parameters, such as `&sslmode=require`.
    pub(super) fn url_with(&self, parameters: &str) -> String {
        self.url_at(postgres_url(), parameters)
    }

    /// Returns the URL of the schema at another server.
    pub(super) fn url_at(&self, server: &str, parameters: &str) -> String {
        let mark = if server.contains('?') { '&' } else { '?' };
        format!("{server}{mark}schema={}{parameters}", self.schema)
    }

    /// Returns a connection whose names are those of the schema.
    pub(super) async fn sql(&self) -> Client {
        let client = connect().await;
        client.batch_execute(&format!("SET search_path = \"{}\"", self.schema)).await.unwrap();
        client
    }

    /// Opens the hub of [`spec`] and takes its first partition.
    pub(super) async fn owned(&self) -> (Postgres, Epoch) {
        let store = Postgres::open(&self.url(), &spec()).await.unwrap();
        let epoch = take(&store).await;
        (store, epoch)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clean(format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.schema));
    }
}

/// A user that no other test has; it goes with the value.
pub(super) struct Role {
    pub(super) name: String,
}

impl Role {
    /// Makes the user with these further options of CREATE ROLE.
    pub(super) async fn new(sql: &Client, options: &str) -> Self {
        let name = format!("warren_test_{}", Uuid::new_v4().simple());
        sql.batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'test' {options}")).await.unwrap();
        Self { name }
    }

    /// Returns the URL of a place for this user.
    pub(super) fn url(&self, place: &Place) -> String {
        let server: tokio_postgres::Config = postgres_url().parse().unwrap();
        let [Host::Tcp(host)] = server.get_hosts() else { panic!("the tests' server has one host") };
        let port = server.get_ports().first().unwrap_or(&5432);
        let database = server.get_dbname().unwrap();
        place.url_at(&format!("postgres://{}:test@{host}:{port}/{database}", self.name), "")
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        clean(format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name));
    }
}

/// Removes what a test made. A test that failed may still hold locks there: then it stays.
fn clean(sql: String) {
    let sql = format!("SET lock_timeout = '5s'; {sql}");
    let clean = thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move { connect().await.batch_execute(&sql).await })
    });
    let _ = clean.join();
}

/// Takes the first partition, whoever holds it, as soon as no commit is open there.
pub(super) async fn take(store: &Postgres) -> Epoch {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let seen = Store::survey(store).await.unwrap().leases.remove(0);
        if let Some(epoch) = store.acquire(&seen, "owner").await.unwrap() {
            return epoch;
        }
        assert!(Instant::now() < deadline, "the lease stays locked: {seen:?}");
    }
}

/// The only instance.
pub(super) fn id() -> InstanceId {
    sample::id("order-1")
}

/// Its row, with this name.
pub(super) fn record(name: &str) -> InstanceRecord {
    InstanceRecord { name: name.into(), ..sample::record("order-1", 1) }
}

/// Returns a commit of the first partition that changes nothing.
pub(super) fn empty(epoch: Epoch, number: u64) -> Commit {
    Commit::new(P0, epoch, number)
}

async fn connect() -> Client {
    let (client, connection) = tokio_postgres::connect(postgres_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Returns the process of a connection on the server.
pub(super) async fn process(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

/// Waits until somebody waits for a lock of `process`, and returns who.
pub(super) async fn waiting_for(sql: &Client, process: i32) -> i32 {
    let query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND $1 = ANY (pg_blocking_pids(pid))";
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(row) = sql.query_opt(query, &[&process]).await.unwrap() {
            return row.get(0);
        }
        assert!(Instant::now() < deadline, "nobody waits for a lock of {process}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
