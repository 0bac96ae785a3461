//! What an owner reads before its first turn.

use deadpool_postgres::Pool;
use futures_util::try_join;
use tokio_postgres::Row;
use warren_model::Partition;

use super::{
    columns::{Why, from_json, get, number, partition as other, text},
    flight::{READ_COMMITTED, ask, fly, land, prepare},
    lease::{hold, key},
};
use crate::{Aside, Epoch, Error, OutboxRow, PartitionState, Result, Suspect};

/// A commit's lock: one that nobody waits for any more has ended by then, and no other begins before this does.
const LOCK: &str = "SELECT number FROM progress WHERE partition = $1 AND epoch = $2 FOR NO KEY UPDATE";
const OUTBOX: &str = "SELECT number, entries FROM outbox WHERE partition = $1 ORDER BY number";
const SENT: &str = "SELECT target, sequence FROM sent WHERE partition = $1";
const RECEIVED: &str = "SELECT source, sequence FROM received WHERE partition = $1";
const ASIDE: &str = "SELECT source, sequence, message FROM aside WHERE partition = $1 ORDER BY source, sequence";
/// By the two small indexes; the instances that have ended, the most by far, are not looked at.
const WAITING: &str = "SELECT id FROM instance
    WHERE partition = $1 AND condition IS NOT NULL AND status NOT IN ('Completed', 'Failed', 'Terminated')
    UNION SELECT i.id FROM (SELECT DISTINCT instance FROM pending WHERE partition = $1) AS p, LATERAL (
        SELECT id, status FROM instance WHERE partition = $1 AND id = p.instance OFFSET 0
    ) AS i WHERE i.status NOT IN ('Completed', 'Failed', 'Terminated', 'Suspended')
    ORDER BY id";

const SUSPECTS: &str = "SELECT instance, count, reason FROM suspect WHERE partition = $1 ORDER BY instance";

const SUSPECT_TASKS: &str = "SELECT mark FROM task_note WHERE partition = $1 ORDER BY instance, id";

/// Reads the state of a partition that is held.
pub(super) async fn partition(pool: &Pool, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
    let client = pool.get().await?;
    let [lock, outbox, sent, received, aside, waiting, suspects, tasks] =
        prepare(&client, [LOCK, OUTBOX, SENT, RECEIVED, ASIDE, WAITING, SUSPECTS, SUSPECT_TASKS]).await?;
    let at = key(partition);
    let reads = async {
        try_join!(
            ask(&client, &lock, [&at, &epoch.0]),
            ask(&client, &outbox, [&at]),
            ask(&client, &sent, [&at]),
            ask(&client, &received, [&at]),
            ask(&client, &aside, [&at]),
            ask(&client, &waiting, [&at]),
            ask(&client, &suspects, [&at]),
            ask(&client, &tasks, [&at]),
        )
    };
    let result = fly(&client, READ_COMMITTED, reads).await;
    let (lock, outbox, sent, received, aside, waiting, suspects, tasks) = land(client, result)?;
    hold(&lock, partition, epoch)?;
    let read = || {
        Ok::<_, Why>(PartitionState {
            number: number(&lock[0], 0)?,
            outbox: legible(partition, "outbox", &outbox, |row| {
                Ok(OutboxRow { number: number(row, 0)?, entries: from_json(row, 1)? })
            }),
            sent: all(&sent, watermark)?.into_iter().collect(),
            received: all(&received, watermark)?.into_iter().collect(),
            aside: legible(partition, "aside", &aside, |row| {
                Ok(Aside { source: other(row, 0)?, sequence: number(row, 1)?, message: from_json(row, 2)? })
            }),
            waiting: all(&waiting, |row| text(row, 0))?,
            suspects: all(&suspects, |row| {
                Ok(Suspect { instance: text(row, 0)?, count: number(row, 1)?, reason: get(row, 2)? })
            })?,
            task_notes: legible(partition, "task_note", &tasks, |row| from_json(row, 0)),
        })
    };
    read().map_err(|why| Error::Corrupt { what: format!("state of partition {partition}"), why })
}

/// Returns the rows that can be read; of the others the log tells, and they stay where they are: one row's trouble is not
/// the partition's.
pub(super) fn legible<T>(
    partition: Partition,
    table: &str,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Why>,
) -> Vec<T> {
    let read = |row| {
        let read = read(row);
        if let Err(why) = &read {
            tracing::error!(%partition, table, %why, "row is left alone: mend or delete it, then restart the owner");
        }
        read.ok()
    };
    rows.iter().filter_map(read).collect()
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Why>) -> Result<Vec<T>, Why> {
    rows.iter().map(read).collect()
}

fn watermark(row: &Row) -> Result<(Partition, u64), Why> {
    Ok((other(row, 0)?, number(row, 1)?))
}
