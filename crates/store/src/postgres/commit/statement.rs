//! A statement of many parts, and its values.

use std::fmt::Write;

use tokio_postgres::types::ToSql;
use warren_model::Partition;

use crate::{Epoch, Result};

type Value<'c> = Box<dyn ToSql + Send + Sync + 'c>;

/// A column of rows that are written or named.
pub(super) struct Column<'c> {
    name: &'static str,
    kind: &'static str,
    values: Value<'c>,
}

impl<'c> Column<'c> {
    /// Returns the column with one value for each row.
    pub(super) fn new<T>(name: &'static str, kind: &'static str, values: impl IntoIterator<Item = T>) -> Self
    where
        T: ToSql + Send + Sync + 'c,
    {
        Self { name, kind, values: Box::new(values.into_iter().collect::<Vec<T>>()) }
    }

    /// Returns the column unless one of its values is refused.
    pub(super) fn tried<T>(
        name: &'static str,
        kind: &'static str,
        values: impl IntoIterator<Item = Result<T>>,
    ) -> Result<Self>
    where
        T: ToSql + Send + Sync + 'c,
    {
        Ok(Self { name, kind, values: Box::new(values.into_iter().collect::<Result<Vec<T>>>()?) })
    }
}

/// What is done if a row with the same key is there.
#[derive(Clone, Copy)]
pub(super) enum Present {
    /// The whole batch is refused.
    Refused,
    /// It is replaced; the key is the partition and so many columns more.
    Replaced(usize),
}

/// A fenced statement. Its parts write for the rows of `next`: one if the epoch holds and the number follows, else none.
pub(super) struct Statement<'c> {
    head: &'static str,
    parts: String,
    end: &'static str,
    count: usize,
    values: Vec<Value<'c>>,
}

/// Locks the epoch until the commit ends, then takes the number.
const COUNTS: &str = "WITH fence AS MATERIALIZED (
    SELECT FROM lease WHERE partition = $1 AND epoch = $2 AND owner IS NOT NULL FOR KEY SHARE
), next AS (
    UPDATE progress SET number = $3 FROM fence WHERE partition = $1 AND number = $3::bigint - 1 RETURNING partition
)";
const COUNTED: &str = "
SELECT EXISTS (SELECT FROM fence), EXISTS (SELECT FROM next), (SELECT number FROM progress WHERE partition = $1)";

/// Locks both rows, so that a statement after it in the same transaction finds them the same.
const LOCKS: &str = "WITH next AS MATERIALIZED (
    SELECT lease.partition FROM lease JOIN progress ON progress.partition = lease.partition
    WHERE lease.partition = $1 AND epoch = $2 AND owner IS NOT NULL AND number = $3::bigint - 1
    FOR KEY SHARE OF lease FOR UPDATE OF progress
)";
const LOCKED: &str = "
SELECT FROM next";

impl<'c> Statement<'c> {
    /// Returns the statement that gives the partition its next number; it answers with one row (see `judge`).
    pub(super) fn that_counts(partition: Partition, epoch: Epoch, number: i64) -> Self {
        Self::new(COUNTS, COUNTED, partition, epoch, number)
    }

    /// Returns the statement that only locks what the other one counts.
    pub(super) fn that_locks(partition: Partition, epoch: Epoch, number: i64) -> Self {
        Self::new(LOCKS, LOCKED, partition, epoch, number)
    }

    fn new(head: &'static str, end: &'static str, partition: Partition, epoch: Epoch, number: i64) -> Self {
        let values: Vec<Value<'c>> = vec![Box::new(i32::from(partition.0)), Box::new(epoch.0), Box::new(number)];
        Self { head, parts: String::new(), end, count: 0, values }
    }

    /// Adds rows to a table.
    pub(super) fn add(&mut self, table: &str, columns: Vec<Column<'c>>, present: Present) {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let list = names.join(", ");
        let rows = self.rows(columns);
        let conflict = match present {
            Present::Refused => String::new(),
            Present::Replaced(keys) => {
                let set: Vec<_> = names[keys..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
                let (key, set) = (names[..keys].join(", "), set.join(", "));
                format!(" ON CONFLICT (partition, {key}) DO UPDATE SET {set}")
            }
        };
        self.part(&format!(
            "INSERT INTO {table} (partition, {list}) SELECT next.partition, given.* FROM next, {rows} AS given{conflict}"
        ));
    }

    /// Removes the rows of a table that have these values; those that are not there are no trouble.
    ///
    /// Each is looked up by its key (see `Use::options`), then removed by where it lies: nobody else changes it, for the
    /// rows of a partition are written under its lock.
    pub(super) fn remove(&mut self, table: &str, columns: Vec<Column<'c>>) {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let rows = self.rows(columns);
        let same: Vec<_> = names.iter().map(|name| format!(" AND t.{name} = given.{name}")).collect();
        let (names, same) = (names.join(", "), same.concat());
        self.part(&format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT old.ctid FROM next, {rows} AS given ({names}), LATERAL (
        SELECT t.ctid FROM {table} AS t WHERE t.partition = next.partition{same} OFFSET 0) AS old))"
        ));
    }

    fn rows(&mut self, columns: Vec<Column<'c>>) -> String {
        let mut arrays = Vec::with_capacity(columns.len());
        for column in columns {
            self.values.push(column.values);
            arrays.push(format!("${}::{}[]", self.values.len(), column.kind));
        }
        format!("unnest({})", arrays.join(", "))
    }

    fn part(&mut self, sql: &str) {
        self.count += 1;
        write!(self.parts, ", part_{} AS (\n    {sql}\n)", self.count)
            .expect("a string takes all that is written to it");
    }

    /// Returns its text. The same groups of parts give the same text.
    pub(super) fn sql(&self) -> String {
        [self.head, &self.parts, self.end].concat()
    }

    /// Returns its values.
    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }
}
