//! A statement of many parts, and its values.

use std::{borrow::Cow, fmt::Write};

use tokio_postgres::types::ToSql;

use super::{
    head::Head,
    rows::{Column, Value},
};
use crate::Commit;

/// What is done if a row with the same key is there.
#[derive(Clone, Copy)]
pub(super) enum Present {
    /// The whole batch is refused.
    Refused,
    /// It is replaced; the key is the partition and so many columns more.
    Replaced(usize),
}

/// A fenced statement for the batches of some partitions. Its parts write for the rows of `next`: the partitions whose
/// epoch holds and whose number follows.
///
/// That of a small batch (see `small`) has values where the usual one has arrays, no part without a row, and none that
/// asks whether it may write: it takes PostgreSQL less than two thirds of the time.
pub(super) struct Statement<'c> {
    is_small: bool,
    /// Its text, if one like it was written before: then only its values are taken.
    known: Option<&'static str>,
    /// Its text up to here.
    sql: String,
    end: Cow<'static, str>,
    count: usize,
    values: Vec<Value<'c>>,
}

/// Which rows a part writes. Asked once for each part: a join with `next` would take more than the rows of a small batch.
const ALLOWED: &str = "given.partition = ANY (ARRAY(SELECT partition FROM next))";

impl<'c> Statement<'c> {
    /// Returns the statement that gives the partitions their next numbers; it answers with a row for each (see `judge`).
    pub(super) fn that_counts(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        Self::new(Head::that_counts(commits, numbers))
    }

    /// Returns the same for a small batch; `known` is its text, if it is.
    pub(super) fn of_small(commit: &'c Commit, number: i64, known: Option<&'static str>) -> Self {
        Self { is_small: true, known, ..Self::new(Head::of_one(commit, number)) }
    }

    /// Returns the statement that comes after, in the same transaction, and writes for the partitions that it counted.
    pub(super) fn that_follows(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        Self::new(Head::that_follows(commits, numbers))
    }

    fn new(Head { begin, end, values }: Head<'c>) -> Self {
        Self { is_small: false, known: None, sql: begin, end, count: 0, values }
    }

    /// Adds rows to a table. The first column is the partition.
    pub(super) fn add(&mut self, table: &str, columns: Vec<Column<'c>>, present: Present) {
        let Some(columns) = self.without_a_word(columns) else { return };
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let list = names.join(", ");
        let conflict = match present {
            Present::Refused => String::new(),
            Present::Replaced(keys) => {
                let (keys, others) = names.split_at(1 + keys);
                let set: Vec<_> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
                format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), set.join(", "))
            }
        };
        let rows = if self.is_small {
            format!("VALUES ({})", self.row(columns).join(", "))
        } else {
            format!("SELECT given.* FROM {} AS given ({list}) WHERE {ALLOWED}", self.rows(columns))
        };
        self.part(&format!("INSERT INTO {table} ({list}) {rows}{conflict}"));
    }

    /// Removes the rows of a table that have these values, of which the first is the partition; those that are not there
    /// are no trouble.
    ///
    /// Each is looked up by its key (see `Use::options`), then removed by where it lies: nobody else changes it, for the
    /// rows of a partition are written under its lock.
    pub(super) fn remove(&mut self, table: &str, columns: Vec<Column<'c>>) {
        let Some(columns) = self.without_a_word(columns) else { return };
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        if self.is_small {
            let same: Vec<_> =
                names.iter().zip(self.row(columns)).map(|(name, value)| format!("{name} = {value}")).collect();
            return self.part(&format!("DELETE FROM {table} WHERE {}", same.join(" AND ")));
        }
        let rows = self.rows(columns);
        let same: Vec<_> = names.iter().map(|name| format!("t.{name} = given.{name}")).collect();
        let (names, same) = (names.join(", "), same.join(" AND "));
        self.part(&format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT old.ctid
        FROM {rows} AS given ({names}), LATERAL (
            SELECT t.ctid FROM {table} AS t WHERE {same} OFFSET 0) AS old WHERE {ALLOWED}))"
        ));
    }

    /// Gives the columns back unless that is all there is to do: a small batch has no part without a row, and of what is
    /// known only the values are wanted.
    fn without_a_word(&mut self, columns: Vec<Column<'c>>) -> Option<Vec<Column<'c>>> {
        if self.is_small && columns.iter().all(|column| column.values.is_empty()) {
            return None;
        }
        if self.known.is_some() {
            self.values.extend(columns.into_iter().skip(1).map(|column| column.values.only()));
            return None;
        }
        Some(columns)
    }

    /// Returns the values of the only row. The first is the partition, which the statement has already.
    fn row(&mut self, columns: Vec<Column<'c>>) -> Vec<String> {
        let mut row = vec!["$1::integer".to_owned()];
        for column in columns.into_iter().skip(1) {
            self.values.push(column.values.only());
            row.push(format!("${}::{}", self.values.len(), column.kind));
        }
        row
    }

    fn rows(&mut self, columns: Vec<Column<'c>>) -> String {
        let mut arrays = Vec::with_capacity(columns.len());
        for column in columns {
            self.values.push(column.values.all());
            arrays.push(format!("${}::{}[]", self.values.len(), column.kind));
        }
        format!("unnest({})", arrays.join(", "))
    }

    fn part(&mut self, sql: &str) {
        self.count += 1;
        let with = if self.sql.is_empty() { "WITH" } else { "," };
        write!(self.sql, "{with} part_{} AS (\n    {sql}\n)", self.count)
            .expect("a string takes all that is written to it");
    }

    /// Returns its text. The same groups of parts give the same text.
    pub(super) fn sql(&self) -> Cow<'static, str> {
        self.known.map_or_else(|| [&*self.sql, &*self.end].concat().into(), Into::into)
    }

    /// Returns its values.
    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }
}
