//! Who owns what.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use warren_model::{Partition, Timestamp};

use super::error::of_commit;
use crate::{Epoch, Error, Lease, Renewal, Result, Standing, Survey, store::NUMBERS_APART};

/// Returns the database's clock: the machine's, in the microseconds that the tables keep.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// Returns who owns what.
pub(super) fn survey(connection: &Connection) -> Result<Survey> {
    let mut leases =
        connection.prepare_cached("SELECT partition, owner, epoch, counter FROM lease ORDER BY partition")?;
    let mut replicas = connection.prepare_cached("SELECT name, counter FROM replica ORDER BY name")?;
    let standing = |row: &Row<'_>| Ok(Standing { replica: row.get(0)?, counter: row.get(1)? });
    Ok(Survey {
        leases: leases.query_map([], lease)?.collect::<rusqlite::Result<_>>()?,
        replicas: replicas.query_map([], standing)?.collect::<rusqlite::Result<_>>()?,
        now: now(),
    })
}

fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease { partition: Partition(row.get(0)?), owner: row.get(1)?, epoch: Epoch(row.get(2)?), counter: row.get(3)? })
}

/// Takes a lease that is free or as it was `seen`.
pub(super) fn acquire(connection: &Connection, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
    let mut statement = connection.prepare_cached(
        "UPDATE lease SET owner = ?2, epoch = epoch + 1, counter = counter + 1
         WHERE partition = ?1 AND (owner IS NULL OR (epoch = ?3 AND counter = ?4)) RETURNING epoch",
    )?;
    let row = (seen.partition.0, owner, seen.epoch.0, seen.counter);
    let epoch = statement.query_row(row, |row| row.get(0)).optional()?;
    Ok(epoch.map(Epoch))
}

/// Microseconds after which a replica that does not renew is forgotten.
const FORGET: i64 = 60_000_000;

/// Raises the counters of a replica and of the leases that it still holds.
pub(super) fn renew(
    connection: &mut Connection,
    replica: &str,
    stands: bool,
    held: &[(Partition, Epoch)],
) -> Result<Renewal> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let micros = now().as_microsecond();
    transaction
        .prepare_cached("DELETE FROM replica WHERE CASE name WHEN ?1 THEN NOT ?2 ELSE renewed_at < ?3 END")?
        .execute((replica, stands, micros - FORGET))?;
    if stands {
        let sql = "INSERT INTO replica (name, renewed_at) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET counter = counter + 1, renewed_at = ?2";
        transaction.prepare_cached(sql)?.execute((replica, micros))?;
    }
    let mut lost = Vec::new();
    for (partition, epoch) in held {
        let mut statement = transaction.prepare_cached(
            "UPDATE lease SET counter = counter + 1 WHERE partition = ?1 AND epoch = ?2 AND owner IS NOT NULL",
        )?;
        if statement.execute((partition.0, epoch.0))? == 0 {
            lost.push(*partition);
        }
    }
    transaction.commit().map_err(of_commit)?;
    Ok(Renewal { lost, now: now() })
}

/// Lets the numbers of commits begin anew, beyond all that may be on their way.
pub(super) fn supersede(connection: &Connection, partition: Partition, epoch: Epoch) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE lease SET number = number + ?3 WHERE partition = ?1 AND epoch = ?2 AND owner IS NOT NULL",
    )?;
    match statement.execute((partition.0, epoch.0, NUMBERS_APART))? {
        0 => Err(Error::Fenced { partition, epoch: epoch.0 }),
        _ => Ok(()),
    }
}

/// Gives a lease back.
pub(super) fn release(connection: &Connection, partition: Partition, epoch: Epoch) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE lease SET owner = NULL, counter = counter + 1
         WHERE partition = ?1 AND epoch = ?2 AND owner IS NOT NULL",
    )?;
    match statement.execute((partition.0, epoch.0))? {
        0 => Err(Error::Fenced { partition, epoch: epoch.0 }),
        _ => Ok(()),
    }
}

/// Returns the number of the partition's last commit if it is held under `epoch`.
///
/// This holds until the transaction ends: in an immediate one nobody else writes, a deferred one reads a snapshot.
pub(super) fn fence(connection: &Connection, partition: Partition, epoch: Epoch) -> Result<u64> {
    let mut statement = connection
        .prepare_cached("SELECT number FROM lease WHERE partition = ?1 AND epoch = ?2 AND owner IS NOT NULL")?;
    let number = statement.query_row((partition.0, epoch.0), |row| row.get(0)).optional()?;
    number.ok_or(Error::Fenced { partition, epoch: epoch.0 })
}
