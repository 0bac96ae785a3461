//! The tables: making them, and telling whether a file has them and whose they are.

use std::{num::NonZeroU16, path::Path};

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;
use warren_model::PartitionCount;

use super::error::of_value;
use crate::{Error, Hub, HubSpec, Result};

/// The mark of Warren's files in SQLite's header ("Wrrn").
const APPLICATION: i32 = i32::from_be_bytes(*b"Wrrn");
/// The version of the tables that this code reads and writes.
const VERSION: i32 = 1;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing yet.
    Empty,
    /// A hub.
    Hub,
}

/// Returns what the file is; refuses files of other programs and of other versions of Warren. To be called inside a
/// transaction: several reads must see the same file.
pub(super) fn content(connection: &Connection, path: &Path) -> Result<Content> {
    let unreadable = |error| of_value(error, || format!("file {}", path.display()));
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(unreadable);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(unreadable)?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(Content::Empty),
        (APPLICATION, VERSION) => Ok(Content::Hub),
        (APPLICATION, version) => Err(Error::Mismatch(format!(
            "file {} has tables of version {version} and this Warren has {VERSION}: run the Warren that made it, \
             or choose another file",
            path.display()
        ))),
        _ => Err(Error::Mismatch(format!(
            "file {} is the SQLite database of another program: choose a file of its own for the hub",
            path.display()
        ))),
    }
}

/// Makes the tables and the hub. To be called inside a transaction.
pub(super) fn create(connection: &Connection, spec: &HubSpec) -> Result<()> {
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute(
        "INSERT INTO hub (id, name, partitions, secret) VALUES (1, ?1, ?2, ?3)",
        (&spec.name, spec.partitions.0.get(), Uuid::new_v4().into_bytes()),
    )?;
    let mut lease = connection.prepare("INSERT INTO lease (partition) VALUES (?1)")?;
    for partition in spec.partitions.all() {
        lease.execute([partition.0])?;
    }
    Ok(())
}

/// Returns the hub if it has this name.
pub(super) fn hub(connection: &Connection, path: &Path, name: &str) -> Result<Hub> {
    let row = |row: &rusqlite::Row<'_>| {
        let partitions = PartitionCount(row.get::<_, NonZeroU16>(1)?);
        Ok(Hub { name: row.get(0)?, partitions, secret: row.get(2)? })
    };
    let what = || format!("table hub of file {}", path.display());
    let found = connection
        .query_row("SELECT name, partitions, secret FROM hub", [], row)
        .optional()
        .map_err(|error| of_value(error, what))?;
    let hub = found.ok_or_else(|| Error::Corrupt { what: what(), why: "it has no row".into() })?;
    if hub.name != name {
        return Err(Error::Mismatch(format!(
            "file {} holds hub {:?} and the configuration names hub {name:?}: correct the hub's name, \
             or choose another file",
            path.display(),
            hub.name
        )));
    }
    Ok(hub)
}

/// Refuses a hub that has another partition count than `spec` says.
pub(super) fn check(hub: &Hub, path: &Path, spec: &HubSpec) -> Result<()> {
    if hub.partitions == spec.partitions {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "hub {:?} in file {} has {} partitions for ever and the configuration says {}: set it to {}, \
         or choose another hub and file",
        hub.name,
        path.display(),
        hub.partitions.0,
        spec.partitions.0,
        hub.partitions.0
    )))
}
