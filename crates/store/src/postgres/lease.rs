//! Who owns what.

use deadpool_postgres::Pool;
use tokio_postgres::{Row, error::SqlState};
use warren_model::Partition;

use super::{
    columns::{self, Why, get, timestamp},
    flight::{ask, fly, land, prepare},
};
use crate::{Epoch, Error, Lease, Renewal, Result, Standing, Survey, store::NUMBERS_APART};

/// Finds a partition that is held. What is read in the same snapshot was written under this epoch or one before.
pub(super) const FENCE: &str = "SELECT FROM progress WHERE partition = $1 AND epoch = $2";

/// Returns who owns what, in one round trip.
pub(super) async fn survey(pool: &Pool) -> Result<Survey> {
    let client = pool.get().await?;
    let sql = "SELECT partition, owner, epoch, counter, clock_timestamp() FROM lease
        UNION ALL SELECT NULL, name, 0, counter, clock_timestamp() FROM replica ORDER BY 1, 2";
    let rows = client.query(&client.prepare_cached(sql).await?, &[]).await?;
    let read = || {
        let is_lease = |row: &&Row| !matches!(get::<Option<i32>>(row, 0), Ok(None));
        let (leases, replicas): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(is_lease);
        let last = leases.last().ok_or("it has no row")?;
        Ok::<_, Why>(Survey {
            now: timestamp(last, 4)?,
            replicas: replicas.into_iter().map(standing).collect::<Result<_, Why>>()?,
            leases: leases.into_iter().map(lease).collect::<Result<_, Why>>()?,
        })
    };
    read().map_err(corrupt)
}

fn standing(row: &Row) -> Result<Standing, Why> {
    Ok(Standing { replica: get(row, 1)?, counter: get(row, 3)? })
}

fn lease(row: &Row) -> Result<Lease, Why> {
    Ok(Lease {
        partition: columns::partition(row, 0)?,
        owner: get(row, 1)?,
        epoch: Epoch(get(row, 2)?),
        counter: get(row, 3)?,
    })
}

fn corrupt(why: Why) -> Error {
    Error::Corrupt { what: "table lease".into(), why }
}

/// Begins to take a lease or to give one back. A commit that is open under the old epoch has the partition's row locked; it
/// is not waited for any longer than an ordinary commit takes, since who waits here renews nothing meanwhile.
const CHANGE: &str = "BEGIN; SET LOCAL lock_timeout = '100ms'";

/// Takes a lease that is free or as it was `seen`; not while a commit is open under the old epoch.
pub(super) async fn acquire(pool: &Pool, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
    let client = pool.get().await?;
    let sql = "WITH taken AS (
            UPDATE lease SET owner = $2, epoch = epoch + 1, counter = counter + 1
            WHERE partition = $1 AND (owner IS NULL OR (epoch = $3 AND counter = $4)) RETURNING epoch
        )
        UPDATE progress SET epoch = taken.epoch FROM taken WHERE partition = $1 RETURNING progress.epoch";
    let [update] = prepare(&client, [sql]).await?;
    let at = key(seen.partition);
    let result = fly(&client, CHANGE, ask(&client, &update, [&at, &owner, &seen.epoch.0, &seen.counter])).await;
    if result.as_ref().is_err_and(|error| error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)) {
        return Ok(None);
    }
    let rows = land(client, result)?;
    Ok(rows.first().map(|row| row.try_get(0).map(Epoch)).transpose()?)
}

/// Raises the counters of a replica and of the leases that it still holds.
pub(super) async fn renew(pool: &Pool, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Result<Renewal> {
    let client = pool.get().await?;
    let sql = "WITH held AS (
            SELECT * FROM unnest($1::integer[], $2::bigint[]) AS held (partition, epoch)
        ), kept AS (
            UPDATE lease SET counter = counter + 1 FROM held
            WHERE lease.partition = held.partition AND lease.epoch = held.epoch AND owner IS NOT NULL
            RETURNING lease.partition
        ), standing AS (
            INSERT INTO replica (name) SELECT $3 WHERE $4
            ON CONFLICT (name) DO UPDATE SET counter = replica.counter + 1, renewed_at = clock_timestamp()
        ), gone AS (
            DELETE FROM replica WHERE CASE name WHEN $3 THEN NOT $4
                ELSE renewed_at < clock_timestamp() - interval '1 minute' END
        )
        SELECT ARRAY(SELECT partition FROM held EXCEPT SELECT partition FROM kept ORDER BY partition), clock_timestamp()";
    let statement = client.prepare_cached(sql).await?;
    let partitions: Vec<i32> = held.iter().map(|(partition, _)| key(*partition)).collect();
    let epochs: Vec<i64> = held.iter().map(|(_, epoch)| epoch.0).collect();
    let row = client.query_one(&statement, &[&partitions, &epochs, &replica, &stands]).await?;
    let lost: Vec<i32> = row.try_get(0)?;
    let lost = held.iter().map(|(partition, _)| *partition).filter(|partition| lost.contains(&key(*partition)));
    Ok(Renewal { lost: lost.collect(), now: timestamp(&row, 1).map_err(corrupt)? })
}

/// Gives a lease back; fails if a commit stays open.
pub(super) async fn release(pool: &Pool, partition: Partition, epoch: Epoch) -> Result<()> {
    let client = pool.get().await?;
    let sql = "WITH freed AS (
            UPDATE lease SET owner = NULL, counter = counter + 1
            WHERE partition = $1 AND epoch = $2 AND owner IS NOT NULL RETURNING partition
        )
        UPDATE progress SET epoch = NULL FROM freed WHERE progress.partition = freed.partition RETURNING freed.partition";
    let [update] = prepare(&client, [sql]).await?;
    let result = fly(&client, CHANGE, ask(&client, &update, [&key(partition), &epoch.0])).await;
    hold(&land(client, result)?, partition, epoch)
}

/// Lets the numbers of commits begin anew, beyond all that may be on their way; waits for one that is open.
pub(super) async fn supersede(pool: &Pool, partition: Partition, epoch: Epoch) -> Result<()> {
    let client = pool.get().await?;
    let sql = "UPDATE progress SET number = number + $3 WHERE partition = $1 AND epoch = $2";
    let statement = client.prepare_cached(sql).await?;
    match client.execute(&statement, &[&key(partition), &epoch.0, &i64::from(NUMBERS_APART)]).await? {
        0 => Err(fenced(partition, epoch)),
        _ => Ok(()),
    }
}

/// Returns a partition as it is stored.
pub(super) fn key(partition: Partition) -> i32 {
    partition.0.into()
}

/// Fails unless the fence found its row.
pub(super) fn hold(found: &[Row], partition: Partition, epoch: Epoch) -> Result<()> {
    if found.is_empty() { Err(fenced(partition, epoch)) } else { Ok(()) }
}

/// Returns the error of somebody who holds the partition no longer.
pub(super) fn fenced(partition: Partition, epoch: Epoch) -> Error {
    Error::Fenced { partition, epoch: epoch.0 }
}
