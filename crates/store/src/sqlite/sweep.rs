//! Pages of instances, for an owner that looks through all of its partition.

use rusqlite::Connection;
use warren_model::Partition;

use super::{
    columns::{INSTANCE, PROGRESS, Text, instance, limit},
    lease,
    load::{load, readable},
};
use crate::{
    Epoch, Load, Result, Sweep, Swept,
    sweep::{Page, ROWS},
};

/// Reads a page.
pub(super) fn sweep(connection: &mut Connection, partition: Partition, epoch: Epoch, sweep: &Sweep) -> Result<Swept> {
    let (ids, next) = match page(connection, partition, epoch, sweep)? {
        Page::Ended(swept) => return Ok(swept),
        Page::Open { ids, next } => (ids, next),
    };
    let loaded = load(connection, partition, epoch, Load { instances: ids, commands: Vec::new() })?;
    Ok(Swept { instances: loaded.instances, next })
}

fn page(connection: &mut Connection, partition: Partition, epoch: Epoch, sweep: &Sweep) -> Result<Page> {
    let snapshot = connection.transaction()?;
    lease::fence(&snapshot, partition, epoch)?;
    let (condition, from) = match sweep {
        Sweep::One(id) => ("i.id = ?2", id.as_str()),
        Sweep::Open { .. } | Sweep::EndedBefore { .. } => ("i.id > ?2", sweep.after()),
    };
    let sql = format!(
        "SELECT {INSTANCE} FROM instance AS i {PROGRESS} WHERE i.partition = ?1 AND {condition} ORDER BY i.id LIMIT ?3"
    );
    let mut statement = snapshot.prepare_cached(&sql)?;
    let mut rows = statement.query((partition.0, from, limit(ROWS)))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(id) = readable(row.get::<_, Text<_>>(0))? else { continue };
        read.push((id.0, readable(instance(row))?.ok()));
    }
    Ok(sweep.page(read))
}
