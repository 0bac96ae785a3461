//! What clients read. One statement each, so that it sees one state of the hub; none is prepared, so that the planner sees
//! which values there are and how large the tables have become.

use deadpool_postgres::Pool;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};
use warren_model::{InstanceId, InstanceRecord, Partition, Status, TurnRecord};

use super::{
    columns::{
        INSTANCE, INSTANCE_COLUMNS, PROGRESS, Why, execution, from_json, get, instance, limit, micros,
        micros_not_before, number, status,
    },
    lease::key,
};
use crate::{
    Error, Filter, InstanceView, Page, Result, TaskNote, TurnKey,
    page::{self, Place},
    turns::{self, corrupt},
};

/// The values of a statement that is not prepared.
type Values<'v, const N: usize> = [(&'v (dyn ToSql + Sync), Type); N];

/// Reads one instance with its input and outcome.
pub(super) async fn view(pool: &Pool, partition: Partition, id: &InstanceId) -> Result<Option<InstanceView>> {
    let client = pool.get().await?;
    let sql = format!(
        "SELECT {INSTANCE}, first.body, last.body FROM instance AS i {PROGRESS}
         LEFT JOIN history AS first ON first.partition = i.partition AND first.instance = i.id
             AND first.execution = i.execution AND first.turn = 0
         LEFT JOIN history AS last ON last.partition = i.partition AND last.instance = i.id
             AND last.execution = i.execution AND last.turn = i.turn - 1
             AND i.status IN ('Completed', 'Failed', 'Terminated')
         WHERE i.partition = $1 AND i.id = $2"
    );
    let values: Values<'_, 2> = [(&key(partition), Type::INT4), (&id.as_str(), Type::TEXT)];
    let rows = client.query_typed(&sql, &values).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let record = instance(row).map_err(|why| Error::Corrupt { what: format!("instance {id}"), why })?;
    let turn = |column, number| turn(row, column, &record, number);
    let first = turn(INSTANCE_COLUMNS, Some(0))?;
    let last = turn(INSTANCE_COLUMNS + 1, record.turn.checked_sub(1))?;
    let input = first.as_ref().and_then(turns::input);
    let outcome = turns::outcome(&record, last.as_ref()).map_err(corrupt)?;
    Ok(Some(InstanceView { record, input, outcome }))
}

fn turn(row: &Row, column: usize, record: &InstanceRecord, number: Option<u32>) -> Result<Option<TurnRecord>> {
    let Some(number) = number else { return Ok(None) };
    let body: Option<&str> = row.try_get(column)?;
    body.map(|body| turns::parse(&turns::key(record, number), body).map_err(corrupt)).transpose()
}

/// Reads turns of an instance's present execution.
pub(super) async fn history(
    pool: &Pool,
    partition: Partition,
    id: &InstanceId,
    from: u32,
    most: usize,
) -> Result<Vec<TurnRecord>> {
    let client = pool.get().await?;
    let sql = "SELECT h.execution, h.turn, h.body FROM instance AS i
        JOIN history AS h ON h.partition = i.partition AND h.instance = i.id AND h.execution = i.execution
        WHERE i.partition = $1 AND i.id = $2 AND h.turn >= $3 ORDER BY h.turn LIMIT $4";
    let values: Values<'_, 4> = [
        (&key(partition), Type::INT4),
        (&id.as_str(), Type::TEXT),
        (&i64::from(from), Type::INT8),
        (&limit(most), Type::INT8),
    ];
    let rows = client.query_typed(sql, &values).await?;
    let key = |row| Ok(TurnKey { instance: id.clone(), execution: execution(row, 0)?, turn: number(row, 1)? });
    let read = |row| {
        let key = key(row).map_err(|why: Why| Error::Corrupt { what: format!("history of instance {id}"), why })?;
        turns::parse(&key, row.try_get(2)?).map_err(corrupt)
    };
    rows.iter().map(read).collect()
}

/// Reads a page of instances, newest first.
pub(super) async fn list(pool: &Pool, filter: &Filter) -> Result<Page> {
    let top = page::size(filter.top);
    let query = Query::of(filter)?;
    let client = pool.get().await?;
    // One row more than the page has tells whether there is another page.
    let rows = client.query_typed(&query.sql(limit(top + 1)), &query.values()).await?;
    let read = |row| instance(row).map_err(|why| Error::Corrupt { what: "a row of table instance".into(), why });
    let mut instances = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let has_more = instances.len() > top;
    instances.truncate(top);
    let next = instances.last().filter(|_| has_more).map(|last| Place::of(last).token());
    Ok(Page { instances, next })
}

/// The query of a page.
#[derive(Default)]
struct Query {
    conditions: Vec<String>,
    values: Vec<(Box<dyn ToSql + Send + Sync>, Type)>,
}

impl Query {
    fn of(filter: &Filter) -> Result<Self> {
        let mut query = Self::default();
        if let Some(prefix) = &filter.prefix {
            // Ids are printable ASCII, so those that begin with the prefix end before the prefix and a DEL.
            let (from, to) = (query.text(prefix.clone()), query.text(format!("{prefix}\x7f")));
            query.conditions.push(format!("i.id >= {from} AND i.id < {to}"));
        }
        if !filter.statuses.is_empty() {
            let names: Vec<&'static str> = filter.statuses.iter().map(|status| status.as_str()).collect();
            let names = query.value(names, Type::TEXT_ARRAY);
            query.conditions.push(format!("i.status = ANY ({names})"));
        }
        if let Some(name) = &filter.name {
            let name = query.text(name.clone());
            query.conditions.push(format!("i.name = {name}"));
        }
        if let Some(from) = filter.created_from {
            let from = query.value(micros_not_before(from), Type::TIMESTAMPTZ);
            query.conditions.push(format!("i.created_at >= {from}"));
        }
        if let Some(to) = filter.created_to {
            let to = query.value(micros_not_before(to), Type::TIMESTAMPTZ);
            query.conditions.push(format!("i.created_at < {to}"));
        }
        if let Some(token) = &filter.after {
            let Place { created_at, id } = Place::parse(token)?;
            let (at, id) = (query.value(micros(created_at), Type::TIMESTAMPTZ), query.text(id.as_str().into()));
            // The first condition is implied; it is what an index can be sought by.
            query.conditions.push(format!("i.created_at <= {at} AND (i.created_at < {at} OR i.id < {id})"));
        }
        Ok(query)
    }

    fn text(&mut self, value: String) -> String {
        self.value(value, Type::TEXT)
    }

    /// Keeps a value and returns its place in the text.
    fn value(&mut self, value: impl ToSql + Send + Sync + 'static, kind: Type) -> String {
        self.values.push((Box::new(value), kind));
        format!("${}", self.values.len())
    }

    fn sql(&self, limit: i64) -> String {
        let conditions = if self.conditions.is_empty() { "true".into() } else { self.conditions.join(" AND ") };
        format!(
            "SELECT {INSTANCE} FROM instance AS i {PROGRESS} WHERE {conditions} ORDER BY i.created_at DESC, i.id DESC LIMIT {limit}"
        )
    }

    fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }
}

/// Reads tasks that are quarantined.
pub(super) async fn quarantined(pool: &Pool, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
    let client = pool.get().await?;
    let sql = "SELECT mark FROM task_note WHERE quarantined AND ($1 IS NULL OR instance = $1)
        ORDER BY instance, id LIMIT $2";
    let instance = instance.map(|id| id.as_str());
    let values: Values<'_, 2> = [(&instance, Type::TEXT), (&limit(most), Type::INT8)];
    let rows = client.query_typed(sql, &values).await?;
    let read = |row| from_json(row, 0).map_err(|why| Error::Corrupt { what: "a row of table task_note".into(), why });
    rows.iter().map(read).collect()
}

/// Counts the instances by status.
pub(super) async fn counts(pool: &Pool) -> Result<Vec<(Status, u64)>> {
    let client = pool.get().await?;
    let rows = client.query_typed("SELECT status, count(*) FROM instance GROUP BY status", &[]).await?;
    let read = |row| Ok((status(get(row, 0)?)?, number(row, 1)?));
    let found = rows.iter().map(read).collect::<Result<Vec<(Status, u64)>, Why>>();
    let found = found.map_err(|why| Error::Corrupt { what: "table instance".into(), why })?;
    let count = |status| found.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
    Ok(Status::ALL.map(|status| (status, count(status))).into())
}
