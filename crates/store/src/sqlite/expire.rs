//! What is given up after its time.

use rusqlite::{Connection, Row, TransactionBehavior};
use warren_model::{InstanceId, Partition, Timestamp};

use super::{
    columns::{Json, Micros, Text, limit},
    error::of_commit,
    lease,
    load::readable,
    payload,
};
use crate::{Epoch, Expired, PendingRow, Result};

/// Forgets old commands and payloads; finds expired messages for instances that nobody has seen.
pub(super) fn expire(
    connection: &mut Connection,
    (partition, epoch): (Partition, Epoch),
    answered_before: Timestamp,
    now: Timestamp,
    most: usize,
) -> Result<Expired> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    lease::fence(&transaction, partition, epoch)?;
    let forgotten = transaction
        .prepare_cached(
            "DELETE FROM command WHERE partition = ?1 AND id IN (
                 SELECT id FROM command WHERE partition = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
        )?
        .execute((partition.0, Micros(answered_before), limit(most)))?;
    let dropped = payload::expire(&transaction, partition, answered_before, most)?;
    let pending = expired(&transaction, partition, now, most)?;
    transaction.commit().map_err(of_commit)?;
    let has_more = forgotten >= most || dropped >= most || pending.len() >= most;
    Ok(Expired { pending, has_more })
}

fn expired(transaction: &Connection, partition: Partition, now: Timestamp, most: usize) -> Result<Vec<PendingRow>> {
    let mut statement = transaction.prepare_cached(
        "SELECT instance, position, message, expires_at FROM pending AS p
         WHERE partition = ?1 AND expires_at < ?2
             AND NOT EXISTS (SELECT 1 FROM instance WHERE partition = ?1 AND id = p.instance)
         ORDER BY expires_at, instance, position LIMIT ?3",
    )?;
    let mut rows = statement.query((partition.0, Micros(now), limit(most)))?;
    let mut expired = Vec::new();
    while let Some(row) = rows.next()? {
        match readable(pending_row(row))? {
            Ok(row) => expired.push(row),
            Err(why) => tracing::error!(%partition, why, "expired message can't be read and stays"),
        }
    }
    Ok(expired)
}

fn pending_row(row: &Row<'_>) -> rusqlite::Result<PendingRow> {
    Ok(PendingRow {
        instance: row.get::<_, Text<InstanceId>>(0)?.0,
        position: row.get(1)?,
        message: row.get::<_, Json<_>>(2)?.0,
        expires_at: row.get::<_, Option<Micros>>(3)?.map(|at| at.0),
    })
}
