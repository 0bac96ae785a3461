//! The tables: making them, and telling whether a schema has them and whose they are.

use std::num::NonZeroU16;

use deadpool_postgres::Client;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;
use warren_model::PartitionCount;

use super::{
    columns::Why,
    pool::{Use, pool},
    url::Address,
};
use crate::{Error, Hub, HubSpec, Result};

/// What brings the tables from each version to the next.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/1.sql")];
/// The version of the tables that this code reads and writes.
const VERSION: usize = MIGRATIONS.len();
/// The oldest PostgreSQL that Warren is tried with.
const SERVER_MIN: i32 = 13;
/// Marks Warren's advisory locks ("Wrrn"); the schema's hash is the second half of the key.
const LOCK: i32 = i32::from_be_bytes(*b"Wrrn");

/// What a schema is.
#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// Nothing yet.
    Empty,
    /// A hub's, of this version.
    Hub,
    /// A hub's, of an older one.
    Older(usize),
}

/// Opens the hub to write: makes the schema and the hub where they are absent, and brings older tables up to date.
/// Several replicas may do so at once.
pub(super) async fn open(address: &Address, spec: &HubSpec) -> Result<Hub> {
    let mut client = pool(address, Use::Migration)?.get().await?;
    check_server(&client).await?;
    // Looked at first without a lock and without any right to make tables: usually there is nothing to do.
    if content(&**client, address).await? != Content::Hub {
        migrate(&mut client, address, spec).await?;
    }
    let hub = hub(&client, address, &spec.name).await?;
    check(&hub, address, spec)?;
    Ok(hub)
}

/// Opens the hub to read, if it is there.
pub(super) async fn look(client: &Client, address: &Address, hub_name: &str) -> Result<Hub> {
    match content(&***client, address).await? {
        Content::Empty => Err(Error::Unavailable(format!("{address} is not there yet: orchestrator-svc makes it"))),
        Content::Older(version) => Err(Error::Unavailable(format!(
            "{address} has tables of version {version} and this Warren reads {VERSION}: \
             orchestrator-svc of this version brings them up to date"
        ))),
        Content::Hub => hub(client, address, hub_name).await,
    }
}

async fn migrate(client: &mut Client, address: &Address, spec: &HubSpec) -> Result<()> {
    let schema = &address.schema;
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCK, schema]).await?;
    // Another replica may have done it while this one waited for the lock.
    let from = match content(&*transaction, address).await? {
        Content::Hub => return Ok(()),
        Content::Older(version) => version,
        Content::Empty => 0,
    };
    let exists = "SELECT FROM pg_namespace WHERE nspname = $1";
    if transaction.query_opt(exists, &[schema]).await?.is_none() {
        transaction.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    if from == 0 {
        let applied = "applied_at timestamptz NOT NULL DEFAULT clock_timestamp()";
        transaction.batch_execute(&format!("CREATE TABLE migration (version integer PRIMARY KEY, {applied})")).await?;
    }
    for (version, sql) in (1_i32..).zip(MIGRATIONS).skip(from) {
        transaction.batch_execute(sql).await?;
        transaction.execute("INSERT INTO migration (version) VALUES ($1)", &[&version]).await?;
    }
    if from == 0 {
        create(&*transaction, spec).await?;
    }
    transaction.commit().await?;
    tracing::info!(schema, from, to = VERSION, "tables are up to date");
    Ok(())
}

async fn create(client: &impl GenericClient, spec: &HubSpec) -> Result<()> {
    let count = i32::from(spec.partitions.0.get());
    let secret = Uuid::new_v4().into_bytes();
    let hub = "INSERT INTO hub (id, name, partitions, secret) VALUES (1, $1, $2, $3)";
    client.execute(hub, &[&spec.name, &count, &secret.as_slice()]).await?;
    for table in ["lease", "progress"] {
        let sql = format!("INSERT INTO {table} (partition) SELECT generate_series(0, $1 - 1)");
        client.execute(&sql, &[&count]).await?;
    }
    Ok(())
}

/// Returns what the schema is; refuses those of other programs and of later versions of Warren.
async fn content(client: &impl GenericClient, address: &Address) -> Result<Content> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE relname = 'migration')
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let row = client.query_one(tables, &[&address.schema]).await?;
    let (all, ours): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    match (all, ours) {
        (0, _) => return Ok(Content::Empty),
        (_, 0) => {
            return Err(Error::Mismatch(format!(
                "{address} has tables of another program: choose a schema of its own for the hub, \
                 with schema= in store.url"
            )));
        }
        (_, _) => {}
    }
    let row = client.query_one("SELECT coalesce(max(version), 0) FROM migration", &[]).await?;
    let version = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(usize::MAX);
    match version {
        VERSION => Ok(Content::Hub),
        older if older < VERSION => Ok(Content::Older(older)),
        newer => Err(Error::Mismatch(format!(
            "{address} has tables of version {newer} and this Warren has {VERSION}: run the Warren that made them, \
             or choose another hub"
        ))),
    }
}

/// Returns the hub if it has this name.
async fn hub(client: &Client, address: &Address, name: &str) -> Result<Hub> {
    let corrupt = |why: Why| Error::Corrupt { what: format!("table hub in {address}"), why };
    let row = client.query_opt("SELECT name, partitions, secret FROM hub", &[]).await?;
    let hub = read(&row.ok_or_else(|| corrupt("it has no row".into()))?).map_err(corrupt)?;
    if hub.name != name {
        return Err(Error::Mismatch(format!(
            "{address} holds hub {:?} and the configuration names hub {name:?}: correct the hub's name, \
             or choose another schema",
            hub.name
        )));
    }
    Ok(hub)
}

fn read(row: &Row) -> Result<Hub, Why> {
    let why = |error: tokio_postgres::Error| error.to_string();
    let count: i32 = row.try_get(1).map_err(why)?;
    let count = u16::try_from(count).ok().and_then(NonZeroU16::new).ok_or_else(|| format!("{count} partitions"))?;
    let secret: &[u8] = row.try_get(2).map_err(why)?;
    let secret = secret.try_into().map_err(|_| format!("the secret has {} bytes", secret.len()))?;
    Ok(Hub { name: row.try_get(0).map_err(why)?, partitions: PartitionCount(count), secret })
}

/// Refuses a hub that has another partition count than `spec` says.
fn check(hub: &Hub, address: &Address, spec: &HubSpec) -> Result<()> {
    if hub.partitions == spec.partitions {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "hub {:?} in {address} has {} partitions for ever and the configuration says {}: set it to {}, \
         or choose another hub",
        hub.name, hub.partitions.0, spec.partitions.0, hub.partitions.0
    )))
}

/// Refuses a server that is too old; warns if it may lose what it has confirmed.
async fn check_server(client: &Client) -> Result<()> {
    let settings = "SELECT current_setting('server_version_num')::integer, current_setting('synchronous_commit'),
        current_setting('fsync')";
    let row = client.query_one(settings, &[]).await?;
    let (version, synchronous, fsync): (i32, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if version < SERVER_MIN * 10_000 {
        let version = version / 10_000;
        return Err(Error::Mismatch(format!("PostgreSQL {version} is too old: use {SERVER_MIN} or later")));
    }
    if synchronous == "off" || fsync == "off" {
        tracing::warn!(synchronous_commit = synchronous, fsync, "the server may lose commits that it has confirmed");
    }
    Ok(())
}

#[cfg(test)]
#[path = "schema_test.rs"]
mod test;
