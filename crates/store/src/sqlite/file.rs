//! Opening the file, to write or to read.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{
    error::{of_commit, of_value},
    filesystem,
    schema::{self, Content},
};
use crate::{Error, Hub, HubSpec, Result};

/// How long to wait for another connection's lock: half of a lease, so that an owner who waits can still renew.
const BUSY: Duration = Duration::from_secs(2);
/// How long a writer of payloads waits for it: nobody's lease depends on that one.
const PAYLOAD_BUSY: Duration = Duration::from_secs(10);
/// How many prepared statements a connection keeps: more than there are in this crate (lists have one per filter).
const STATEMENTS: usize = 64;
/// How much of the database the writer keeps in memory, in KiB. Readers forget theirs at each commit anyway.
const CACHE_KIB: i64 = 32 * 1024;
/// How long the log grows before its pages go to the tables: 64 MiB. Ids are random, so each commit touches pages all
/// over; at SQLite's own 1000 every large commit would move them, which more than doubled its time.
const LOG_PAGES: i64 = 16_000;
/// How large the log's file stays after a burst.
const LOG_BYTES: i64 = 64 * 1024 * 1024;

/// Opens the file to write; makes the folder, the file and the hub where they are absent.
pub(super) fn writer(path: &Path, spec: &HubSpec) -> Result<(Connection, Hub)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| Error::Unavailable(format!("make folder {}: {e}", folder.display())))?;
    filesystem::check(folder)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    // Looked at before anything is changed: it may be another program's file.
    schema::content(&*connection.transaction()?, path)?;
    log_ahead(&connection, path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    let hub = hub(&mut connection, path, spec)?;
    Ok((connection, hub))
}

/// Opens the file to write payloads, if it is there and holds this hub.
pub(super) fn payload_writer(path: &Path, hub: &str) -> Result<Connection> {
    reader(path, hub)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PAYLOAD_BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(connection)
}

/// Opens the file to read, if it is there and holds this hub.
pub(super) fn reader(path: &Path, hub: &str) -> Result<(Connection, Hub)> {
    let absent = || Error::Unavailable(format!("file {} is not there yet: orchestrator-svc makes it", path.display()));
    if !path.exists() {
        return Err(absent());
    }
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let snapshot = connection.transaction()?;
    let hub = match schema::content(&snapshot, path)? {
        Content::Empty => return Err(absent()),
        Content::Hub => schema::hub(&snapshot, path, hub)?,
    };
    drop(snapshot);
    Ok((connection, hub))
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| Error::Unavailable(format!("open file {}: {error}", path.display())))?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Turns WAL mode on. SQLite does not wait for the lock that this takes, so we do.
fn log_ahead(connection: &Connection, path: &Path) -> Result<()> {
    let deadline = Instant::now() + BUSY;
    let turn_on = || connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    let mode = loop {
        match turn_on() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            other => break other.map_err(|error| of_value(error, || format!("file {}", path.display())))?,
        }
    };
    if mode == "wal" {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "file {} can't have a write-ahead log (SQLite chose {mode:?}): choose a folder on a local disk",
        path.display()
    )))
}

/// Makes the hub, or checks the one that is there, under the lock: two owners may start at once.
fn hub(connection: &mut Connection, path: &Path, spec: &HubSpec) -> Result<Hub> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema::content(&transaction, path)? == Content::Empty {
        schema::create(&transaction, spec)?;
    }
    let hub = schema::hub(&transaction, path, &spec.name)?;
    schema::check(&hub, path, spec)?;
    transaction.commit().map_err(of_commit)?;
    Ok(hub)
}
