//! How our types stand in SQLite's columns.

use std::{fmt::Display, str::FromStr};

use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use warren_model::{ExecutionId, InstanceId, InstanceRecord, MessageId, Status, Timestamp};

/// A timestamp, in whole microseconds.
pub(super) struct Micros(pub(super) Timestamp);

impl Micros {
    /// Returns the first whole microsecond that is not before `at`.
    pub(super) fn not_before(at: Timestamp) -> i64 {
        let cut = at.as_microsecond();
        let is_later = Timestamp::from_microsecond(cut).is_ok_and(|whole| whole < at);
        if is_later { cut + 1 } else { cut }
    }
}

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}

/// An id, as its text.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl<T: FromStr<Err: std::error::Error + Send + Sync + 'static>> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// Anything else, as JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

struct StatusName(Status);

impl FromSql for StatusName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        status(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

/// Returns the status with this name.
pub(super) fn status(name: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status.as_str() == name)
}

/// Returns a limit as SQLite takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The columns of an instance row after its partition, in the order in which [`instance`] reads them. The row is `i`, and
/// `p` what [`PROGRESS`] joins.
pub(super) const INSTANCE: &str = "i.id, i.execution, i.name, i.version, i.status, i.condition, \
    coalesce(p.turn + 1, i.turn), i.created_at, coalesce(p.updated_at, i.updated_at), i.custom_status, i.parent, \
    i.answer_to, i.start_id, i.tags, coalesce(p.history_events, i.history_events), \
    coalesce(p.history_bytes, i.history_bytes)";

/// The last turn of an instance `i`, if it came after its row was written. The turn that ends an instance is in its row.
pub(super) const PROGRESS: &str = "LEFT JOIN history AS p
    ON p.partition = i.partition AND p.instance = i.id AND p.execution = i.execution
    AND i.status NOT IN ('Completed', 'Failed', 'Terminated') AND p.turn = (
        SELECT max(turn) FROM history
        WHERE partition = i.partition AND instance = i.id AND execution = i.execution AND turn >= i.turn)";

/// Reads an instance row, whose columns are those of [`INSTANCE`].
pub(super) fn instance(row: &Row<'_>) -> rusqlite::Result<InstanceRecord> {
    Ok(InstanceRecord {
        id: row.get::<_, Text<InstanceId>>(0)?.0,
        execution: row.get::<_, Text<ExecutionId>>(1)?.0,
        name: row.get(2)?,
        version: row.get(3)?,
        status: row.get::<_, StatusName>(4)?.0,
        condition: row.get::<_, Option<Json<_>>>(5)?.map(|json| json.0),
        turn: row.get(6)?,
        created_at: row.get::<_, Micros>(7)?.0,
        updated_at: row.get::<_, Micros>(8)?.0,
        custom_status: row.get::<_, Option<Json<_>>>(9)?.map(|json| json.0),
        parent: row.get::<_, Option<Json<_>>>(10)?.map(|json| json.0),
        answer_to: row.get::<_, Option<Json<_>>>(11)?.map(|json| json.0),
        start_id: row.get::<_, Text<MessageId>>(12)?.0,
        tags: row.get::<_, Json<_>>(13)?.0,
        history_events: row.get(14)?,
        history_bytes: row.get(15)?,
    })
}
