//! What is given up after its time.

use rusqlite::{Connection, TransactionBehavior};
use warren_model::{InstanceId, Partition, Timestamp};

use super::{
    columns::{Json, Micros, Text, limit},
    error::{of_commit, of_value},
    lease,
};
use crate::{Epoch, PendingRow, Result};

/// Forgets old commands; removes and returns expired messages for instances that nobody has seen.
pub(super) fn expire(
    connection: &mut Connection,
    (partition, epoch): (Partition, Epoch),
    answered_before: Timestamp,
    now: Timestamp,
    most: usize,
) -> Result<Vec<PendingRow>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    lease::fence(&transaction, partition, epoch)?;
    transaction
        .prepare_cached(
            "DELETE FROM command WHERE partition = ?1 AND id IN (
                 SELECT id FROM command WHERE partition = ?1 AND at < ?2 ORDER BY at LIMIT ?3)",
        )?
        .execute((partition.0, Micros(answered_before), limit(most)))?;
    let expired = expired(&transaction, partition, now, most)?;
    for row in &expired {
        transaction
            .prepare_cached("DELETE FROM pending WHERE partition = ?1 AND instance = ?2 AND position = ?3")?
            .execute((partition.0, row.instance.as_str(), row.position))?;
    }
    transaction.commit().map_err(of_commit)?;
    Ok(expired)
}

fn expired(transaction: &Connection, partition: Partition, now: Timestamp, most: usize) -> Result<Vec<PendingRow>> {
    let mut statement = transaction.prepare_cached(
        "SELECT instance, position, message, expires_at FROM pending AS p
         WHERE partition = ?1 AND expires_at < ?2
             AND NOT EXISTS (SELECT 1 FROM instance WHERE partition = ?1 AND id = p.instance)
         ORDER BY expires_at, instance, position LIMIT ?3",
    )?;
    let rows = statement.query_map((partition.0, Micros(now), limit(most)), |row| {
        Ok(PendingRow {
            instance: row.get::<_, Text<InstanceId>>(0)?.0,
            position: row.get(1)?,
            message: row.get::<_, Json<_>>(2)?.0,
            expires_at: row.get::<_, Option<Micros>>(3)?.map(|at| at.0),
        })
    })?;
    rows.collect::<rusqlite::Result<_>>()
        .map_err(|error| of_value(error, || format!("expired messages of partition {partition}")))
}
