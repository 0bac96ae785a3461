//! What is given up after its time.

use deadpool_postgres::Pool;
use futures_util::try_join;
use warren_model::{Partition, Timestamp};

use super::{
    columns::{limit, micros},
    flight::{READ_COMMITTED, ask, fly, land, prepare},
    lease::{hold, key},
    load::pending_row,
};
use crate::{Epoch, Expired, Result};

/// Fenced like a commit. Answers with one row if the epoch holds: how many were forgotten.
const FORGET: &str = "WITH fence AS MATERIALIZED (
        SELECT FROM progress WHERE partition = $1 AND epoch = $2 FOR KEY SHARE
    ), gone AS (
        DELETE FROM command WHERE ctid = ANY (ARRAY(SELECT old.ctid FROM fence, LATERAL (
            SELECT ctid FROM command WHERE partition = $1 AND at < $3 ORDER BY at LIMIT $4) AS old)) RETURNING id
    ), dropped AS (
        DELETE FROM payload WHERE ctid = ANY (ARRAY(SELECT old.ctid FROM fence, LATERAL (
            SELECT ctid FROM payload AS p WHERE partition = $1 AND at < $3 AND NOT EXISTS (
                SELECT FROM instance AS i WHERE i.partition = $1 AND i.id = p.instance AND i.execution = p.execution
                    AND i.status IN ('Pending', 'Running', 'Suspended') OFFSET 0)
            ORDER BY at LIMIT $4) AS old)) RETURNING id
    )
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM dropped) FROM fence";

const EXPIRED: &str = "SELECT instance, position, message, expires_at FROM pending
    WHERE partition = $1 AND expires_at < $2
        AND NOT EXISTS (SELECT FROM instance AS i WHERE i.partition = $1 AND i.id = pending.instance OFFSET 0)
    ORDER BY expires_at, instance, position LIMIT $3";

/// Forgets old commands and payloads; finds expired messages for instances that nobody has seen.
pub(super) async fn expire(
    pool: &Pool,
    (partition, epoch): (Partition, Epoch),
    answered_before: Timestamp,
    now: Timestamp,
    most: usize,
) -> Result<Expired> {
    let client = pool.get().await?;
    let [forget, expired] = prepare(&client, [FORGET, EXPIRED]).await?;
    let (at, before, now, some) = (key(partition), micros(answered_before), micros(now), limit(most));
    let both = async {
        try_join!(ask(&client, &forget, [&at, &epoch.0, &before, &some]), ask(&client, &expired, [&at, &now, &some]),)
    };
    let result = fly(&client, READ_COMMITTED, both).await;
    let (forgotten, rows) = land(client, result)?;
    hold(&forgotten, partition, epoch)?;
    let (forgotten, dropped): (i64, i64) = (forgotten[0].try_get(0)?, forgotten[0].try_get(1)?);
    let forgotten = forgotten.max(dropped);
    let mut expired = Expired { pending: Vec::new(), has_more: forgotten >= some || limit(rows.len()) >= some };
    for row in &rows {
        match pending_row(row) {
            Ok(row) => expired.pending.push(row),
            Err(why) => tracing::error!(%partition, why, "expired message can't be read and stays"),
        }
    }
    Ok(expired)
}
