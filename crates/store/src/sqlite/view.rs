//! What clients read.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};
use warren_model::{InstanceId, InstanceRecord, Partition, Status, TurnRecord};

use super::{
    columns::{INSTANCE, Json, Micros, PROGRESS, Text, instance, limit, status},
    error::of_value,
};
use crate::{
    Filter, InstanceView, Page, Result, TaskNote, TurnKey, page,
    page::Place,
    turns::{self, corrupt},
};

/// Reads one instance with its input and outcome.
pub(super) fn view(connection: &mut Connection, partition: Partition, id: &InstanceId) -> Result<Option<InstanceView>> {
    let snapshot = connection.transaction()?;
    let Some(record) = record(&snapshot, partition, id)? else { return Ok(None) };
    let first = turn(&snapshot, partition, &turns::key(&record, 0))?;
    let input = first.as_ref().and_then(turns::input);
    let last = match record.turn.checked_sub(1) {
        Some(last) if record.status.is_terminal() => turn(&snapshot, partition, &turns::key(&record, last))?,
        Some(_) | None => None,
    };
    let outcome = turns::outcome(&record, last.as_ref()).map_err(corrupt)?;
    Ok(Some(InstanceView { record, input, outcome }))
}

/// Reads turns of an instance's present execution.
pub(super) fn history(
    connection: &mut Connection,
    partition: Partition,
    id: &InstanceId,
    from: u32,
    most: usize,
) -> Result<Vec<TurnRecord>> {
    let snapshot = connection.transaction()?;
    let Some(record) = record(&snapshot, partition, id)? else { return Ok(Vec::new()) };
    let mut statement = snapshot.prepare_cached(
        "SELECT turn, body FROM history
         WHERE partition = ?1 AND instance = ?2 AND execution = ?3 AND turn >= ?4 ORDER BY turn LIMIT ?5",
    )?;
    let key = (partition.0, id.as_str(), Text(record.execution), from, limit(most));
    let rows = statement
        .query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(u32, String)>>>()
        .map_err(|error| of_value(error, || format!("history of instance {id}")))?;
    rows.iter().map(|(turn, body)| turns::parse(&turns::key(&record, *turn), body).map_err(corrupt)).collect()
}

/// Reads a page of instances, newest first.
pub(super) fn list(connection: &Connection, filter: &Filter) -> Result<Page> {
    let top = page::size(filter.top);
    let (sql, values) = query(filter, top)?;
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), instance)?.collect::<rusqlite::Result<Vec<_>>>();
    let mut instances = rows.map_err(|error| of_value(error, || "a row of table instance".into()))?;
    let has_more = instances.len() > top;
    instances.truncate(top);
    let next = instances.last().filter(|_| has_more).map(|last| Place::of(last).token());
    Ok(Page { instances, next })
}

/// Returns the query of a page; it asks for one row more than the page has, to learn whether there is another page.
fn query(filter: &Filter, top: usize) -> Result<(String, Vec<Value>)> {
    let mut query = Query::default();
    if let Some(prefix) = &filter.prefix {
        // Ids are printable ASCII, so those that begin with the prefix end before the prefix and a DEL.
        query.and("i.id >= ?", [prefix.clone().into()]);
        query.and("i.id < ?", [format!("{prefix}\x7f").into()]);
    }
    if !filter.statuses.is_empty() {
        let marks = vec!["?"; filter.statuses.len()].join(", ");
        query.and(&format!("i.status IN ({marks})"), filter.statuses.iter().map(|s| s.as_str().to_owned().into()));
    }
    if let Some(name) = &filter.name {
        query.and("i.name = ?", [name.clone().into()]);
    }
    if let Some(from) = filter.created_from {
        query.and("i.created_at >= ?", [Micros::not_before(from).into()]);
    }
    if let Some(to) = filter.created_to {
        query.and("i.created_at < ?", [Micros::not_before(to).into()]);
    }
    if let Some(token) = &filter.after {
        let Place { created_at, id } = Place::parse(token)?;
        let (at, id) = (created_at.as_microsecond(), id.as_str().to_owned());
        // The first condition is implied; it is what SQLite can seek by.
        query.and("i.created_at <= ?", [at.into()]);
        query.and("(i.created_at < ? OR i.id < ?)", [at.into(), id.into()]);
    }
    let Query { conditions, mut values } = query;
    values.push(limit(top + 1).into());
    Ok((
        format!(
            "SELECT {INSTANCE} FROM instance AS i {PROGRESS} {conditions} ORDER BY i.created_at DESC, i.id DESC LIMIT ?"
        ),
        values,
    ))
}

#[derive(Default)]
struct Query {
    conditions: String,
    values: Vec<Value>,
}

impl Query {
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push_str(if self.conditions.is_empty() { "WHERE " } else { " AND " });
        self.conditions.push_str(condition);
        self.values.extend(values);
    }
}

/// Counts the instances by status.
pub(super) fn counts(connection: &Connection) -> Result<Vec<(Status, u64)>> {
    let mut counts = Status::ALL.map(|status| (status, 0));
    let mut statement = connection.prepare_cached("SELECT status, count(*) FROM instance GROUP BY status")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let found = status(&name).and_then(|status| counts.iter_mut().find(|(known, _)| *known == status));
        let (_, count) = found.ok_or_else(|| corrupt(format!("table instance: status {name:?} is none")))?;
        *count = row.get(1)?;
    }
    Ok(counts.into())
}

fn record(snapshot: &Connection, partition: Partition, id: &InstanceId) -> Result<Option<InstanceRecord>> {
    let sql = format!("SELECT {INSTANCE} FROM instance AS i {PROGRESS} WHERE i.partition = ?1 AND i.id = ?2");
    let mut statement = snapshot.prepare_cached(&sql)?;
    let found = statement.query_row((partition.0, id.as_str()), instance).optional();
    found.map_err(|error| of_value(error, || format!("instance {id}")))
}

/// Reads tasks that are quarantined.
pub(super) fn quarantined(
    connection: &mut Connection,
    instance: Option<&InstanceId>,
    most: usize,
) -> Result<Vec<TaskNote>> {
    let mut statement = connection.prepare_cached(
        "SELECT mark FROM task_note WHERE quarantined AND (?1 IS NULL OR instance = ?1)
         ORDER BY instance, id LIMIT ?2",
    )?;
    let key = (instance.map(|id| id.as_str()), limit(most));
    let rows = statement.query_map(key, |row| Ok(row.get::<_, Json<TaskNote>>(0)?.0))?;
    rows.map(|row| row.map_err(|error| of_value(error, || "a row of table task_note".into()))).collect()
}

fn turn(snapshot: &Connection, partition: Partition, key: &TurnKey) -> Result<Option<TurnRecord>> {
    let mut statement = snapshot.prepare_cached(
        "SELECT body FROM history WHERE partition = ?1 AND instance = ?2 AND execution = ?3 AND turn = ?4",
    )?;
    let row = (partition.0, key.instance.as_str(), Text(key.execution), key.turn);
    let body: Option<String> =
        statement.query_row(row, |row| row.get(0)).optional().map_err(|error| of_value(error, || key.to_string()))?;
    body.map(|body| turns::parse(key, &body).map_err(corrupt)).transpose()
}
