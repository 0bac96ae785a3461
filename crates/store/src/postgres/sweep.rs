//! Pages of instances, for an owner that looks through all of its partition.

use deadpool_postgres::Pool;
use futures_util::try_join;
use warren_model::Partition;

use super::{
    columns::{INSTANCE, PROGRESS, Why, instance, limit, text},
    flight::{SNAPSHOT, ask, fly, land, prepare},
    lease::{FENCE, hold, key},
    load::load,
};
use crate::{
    Epoch, Load, Result, Sweep, Swept,
    sweep::{Page, ROWS},
};

/// Reads a page.
pub(super) async fn sweep(pool: &Pool, partition: Partition, epoch: Epoch, sweep: &Sweep) -> Result<Swept> {
    let (ids, next) = match page(pool, partition, epoch, sweep).await? {
        Page::Ended(swept) => return Ok(swept),
        Page::Open { ids, next } => (ids, next),
    };
    let loaded = load(pool, partition, epoch, Load { instances: ids, commands: Vec::new() }).await?;
    Ok(Swept { instances: loaded.instances, next })
}

async fn page(pool: &Pool, partition: Partition, epoch: Epoch, sweep: &Sweep) -> Result<Page> {
    let client = pool.get().await?;
    let (condition, from) = match sweep {
        Sweep::One(id) => ("i.id = $2", id.as_str()),
        Sweep::Open { .. } | Sweep::EndedBefore { .. } => ("i.id > $2", sweep.after()),
    };
    let sql = format!(
        "SELECT {INSTANCE} FROM instance AS i {PROGRESS} WHERE i.partition = $1 AND {condition} ORDER BY i.id LIMIT $3"
    );
    let [fence, rows] = prepare(&client, [FENCE, &sql]).await?;
    let (at, most) = (key(partition), limit(ROWS));
    let reads = async { try_join!(ask(&client, &fence, [&at, &epoch.0]), ask(&client, &rows, [&at, &from, &most])) };
    let result = fly(&client, SNAPSHOT, reads).await;
    let (fence, rows) = land(client, result)?;
    hold(&fence, partition, epoch)?;
    let read = |row| {
        let id: Result<_, Why> = text(row, 0);
        Some((id.ok()?, instance(row).ok()))
    };
    Ok(sweep.page(rows.iter().filter_map(read).collect()))
}
