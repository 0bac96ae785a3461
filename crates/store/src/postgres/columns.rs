//! How our types stand in PostgreSQL's columns.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio_postgres::{Row, types::FromSql};
use uuid::Uuid;
use warren_model::{ExecutionId, InstanceId, InstanceRecord, MessageId, Partition, Status, Timestamp};

use crate::{Error, Result};

/// Returns a timestamp for a column, cut to whole microseconds.
pub(super) fn micros(at: Timestamp) -> SystemTime {
    system_time(at.as_microsecond())
}

/// Returns the first whole microsecond that is not before `at`.
pub(super) fn micros_not_before(at: Timestamp) -> SystemTime {
    let cut = at.as_microsecond();
    let is_later = Timestamp::from_microsecond(cut).is_ok_and(|whole| whole < at);
    system_time(if is_later { cut + 1 } else { cut })
}

fn system_time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

/// Returns a number for a `bigint` column, or a refusal that names the row.
pub(super) fn bigint(number: u64, name: impl Fn() -> String) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::Refused(format!("{}: {number} is too large", name())))
}

/// Returns an execution's id as it is stored.
pub(super) fn uuid(execution: ExecutionId) -> Uuid {
    Uuid::from_u128(execution.as_u128())
}

/// Returns the JSON of a value.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Refused(format!("a value has no JSON: {error}")))
}

/// Returns a limit as PostgreSQL takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// What is wrong with a stored value.
pub(super) type Why = String;

/// Reads a column.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Why> {
    row.try_get(column).map_err(|error| error.to_string())
}

/// Reads a timestamp.
pub(super) fn timestamp(row: &Row, column: usize) -> Result<Timestamp, Why> {
    Timestamp::try_from(get::<SystemTime>(row, column)?).map_err(|error| error.to_string())
}

/// Reads a number that is never negative and fits its type.
pub(super) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, Why> {
    let stored: i64 = get(row, column)?;
    T::try_from(stored).map_err(|_| format!("{stored} is out of range"))
}

/// Reads a partition.
pub(super) fn partition(row: &Row, column: usize) -> Result<Partition, Why> {
    let stored: i32 = get(row, column)?;
    u16::try_from(stored).map(Partition).map_err(|_| format!("{stored} is no partition"))
}

/// Reads an execution's id.
pub(super) fn execution(row: &Row, column: usize) -> Result<ExecutionId, Why> {
    Ok(ExecutionId::from_u128(get::<Uuid>(row, column)?.as_u128()))
}

/// Reads a text that means something.
pub(super) fn text<T: FromStr<Err: ToString>>(row: &Row, column: usize) -> Result<T, Why> {
    get::<&str>(row, column)?.parse().map_err(|error: T::Err| error.to_string())
}

/// Reads JSON.
pub(super) fn from_json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, Why> {
    serde_json::from_str(get(row, column)?).map_err(|error| error.to_string())
}

/// Reads JSON that may be absent.
pub(super) fn from_json_or_none<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>, Why> {
    let text: Option<&str> = get(row, column)?;
    text.map(serde_json::from_str).transpose().map_err(|error| error.to_string())
}

/// Returns the status with this name.
pub(super) fn status(name: &str) -> Result<Status, Why> {
    let found = Status::ALL.into_iter().find(|status| status.as_str() == name);
    found.ok_or_else(|| format!("status {name:?} is none"))
}

/// The columns of an instance row after its partition, in the order in which [`instance`] reads them. The row is `i`, and
/// `p` what [`PROGRESS`] joins.
pub(super) const INSTANCE: &str = "i.id, i.execution, i.name, i.version, i.status, i.condition, \
    coalesce(p.turn + 1, i.turn), i.created_at, coalesce(p.updated_at, i.updated_at), i.custom_status, i.parent, \
    i.answer_to, i.start_id, i.tags, coalesce(p.history_events, i.history_events), \
    coalesce(p.history_bytes, i.history_bytes)";

/// The last turn of an instance `i`, if it came after its row was written. The turn that ends an instance is in its row.
pub(super) const PROGRESS: &str = "LEFT JOIN LATERAL (
        SELECT turn, updated_at, history_events, history_bytes FROM history
        WHERE partition = i.partition AND instance = i.id AND execution = i.execution AND turn >= i.turn
            AND i.status NOT IN ('Completed', 'Failed', 'Terminated')
        ORDER BY turn DESC LIMIT 1
    ) AS p ON true";

/// How many columns [`INSTANCE`] has.
pub(super) const INSTANCE_COLUMNS: usize = 16;

/// Reads an instance row, whose columns begin with those of [`INSTANCE`].
pub(super) fn instance(row: &Row) -> Result<InstanceRecord, Why> {
    Ok(InstanceRecord {
        id: text::<InstanceId>(row, 0)?,
        execution: execution(row, 1)?,
        name: get(row, 2)?,
        version: get(row, 3)?,
        status: status(get(row, 4)?)?,
        condition: from_json_or_none(row, 5)?,
        turn: number(row, 6)?,
        created_at: timestamp(row, 7)?,
        updated_at: timestamp(row, 8)?,
        custom_status: from_json_or_none(row, 9)?,
        parent: from_json_or_none(row, 10)?,
        answer_to: from_json_or_none(row, 11)?,
        start_id: text::<MessageId>(row, 12)?,
        tags: from_json(row, 13)?,
        history_events: number(row, 14)?,
        history_bytes: number(row, 15)?,
    })
}
