//! A statement of many parts, and its values.

use std::{collections::HashSet, fmt::Write, hash::Hash};

use tokio_postgres::types::ToSql;

use crate::{Commit, Result, postgres::lease::key};

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

/// Rows of several partitions' batches.
pub(super) struct Rows<'c, T> {
    partitions: Vec<i32>,
    rows: Vec<&'c T>,
}

impl<'c, T> Rows<'c, T> {
    /// Returns every row of each batch.
    pub(super) fn of(commits: &'c [Commit], of: impl Fn(&'c Commit) -> &'c [T]) -> Self {
        Self::select(commits, |commit| of(commit).iter().collect())
    }

    /// Returns the last row of each key of each batch: one statement replaces a row once.
    pub(super) fn last_of_each<K: Eq + Hash>(
        commits: &'c [Commit],
        of: impl Fn(&'c Commit) -> &'c [T],
        by: impl Fn(&'c T) -> K,
    ) -> Self {
        Self::select(commits, |commit| {
            let mut seen = HashSet::with_capacity(of(commit).len());
            let mut last: Vec<&T> = of(commit).iter().rev().filter(|row| seen.insert(by(row))).collect();
            last.reverse();
            last
        })
    }

    fn select(commits: &'c [Commit], select: impl Fn(&'c Commit) -> Vec<&'c T>) -> Self {
        let (mut partitions, mut rows) = (Vec::new(), Vec::new());
        for commit in commits {
            rows.extend(select(commit));
            partitions.resize(rows.len(), key(commit.partition));
        }
        Self { partitions, rows }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'c T> {
        self.rows.iter().copied()
    }

    /// Returns the column with each row's partition, which is the first of every table's.
    pub(super) fn partitions(&self) -> Column<'c> {
        Column::new("partition", "integer", self.partitions.iter().copied())
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

/// A fenced statement for the batches of some partitions. Its parts write for the rows of `next`: the partitions whose
/// epoch holds and whose number follows.
pub(super) struct Statement<'c> {
    /// Its text up to here.
    sql: String,
    end: String,
    count: usize,
    values: Vec<Value<'c>>,
}

/// How a statement looks for what is taken for new; not at all if nothing is.
struct Guard {
    /// Finds what is there of it, each by its key (see `Use::options`).
    used: &'static str,
    /// Leaves out the partitions of those.
    unused: &'static str,
    /// Names one.
    said: &'static str,
}

const UNGUARDED: Guard = Guard { used: "", unused: "", said: "NULL::text" };
const GUARDED: Guard = Guard {
    used: ", begun AS MATERIALIZED (
    SELECT * FROM unnest($4::integer[], $5::text[], $6::text[]) AS given (partition, id, start)
), used AS MATERIALIZED (
    SELECT begun.partition, begun.id FROM begun, LATERAL (
        SELECT FROM instance WHERE partition = begun.partition AND id = begun.id OFFSET 0) AS found
    UNION ALL SELECT begun.partition, begun.id FROM begun, LATERAL (
        SELECT FROM pending WHERE partition = begun.partition AND instance = begun.id LIMIT 1) AS found
    UNION ALL SELECT begun.partition, begun.id FROM begun, LATERAL (
        SELECT FROM command WHERE partition = begun.partition AND id = begun.start OFFSET 0) AS found
)",
    unused: "AND progress.partition <> ALL (ARRAY(SELECT partition FROM used))",
    said: "(SELECT id FROM used WHERE partition = batch.partition LIMIT 1)",
};

impl Guard {
    fn of(commits: &[Commit]) -> Self {
        if commits.iter().all(|commit| commit.fresh.is_empty()) { UNGUARDED } else { GUARDED }
    }

    /// Locks the epochs until the commit ends, then takes the numbers.
    fn counts(&self) -> String {
        let Self { used, unused, .. } = self;
        format!(
            "WITH batch AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS given (partition, epoch, number, place)
), fence AS MATERIALIZED (
    SELECT lease.partition, batch.number FROM batch JOIN lease USING (partition, epoch)
    WHERE lease.owner IS NOT NULL FOR KEY SHARE OF lease
){used}, next AS (
    UPDATE progress SET number = fence.number FROM fence
    WHERE progress.partition = fence.partition AND progress.number = fence.number - 1 {unused}
    RETURNING progress.partition
)"
        )
    }

    fn counted(&self) -> String {
        let said = self.said;
        format!(
            "
SELECT partition = ANY (ARRAY(SELECT partition FROM fence)), partition = ANY (ARRAY(SELECT partition FROM next)),
    (SELECT number FROM progress WHERE partition = batch.partition), {said}
FROM batch ORDER BY place"
        )
    }

    /// Locks both rows of each, so that a statement after it in the same transaction finds them the same.
    fn locks(&self) -> String {
        let Self { used, unused, .. } = self;
        format!(
            "WITH batch AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS given (partition, epoch, number)
){used}, next AS MATERIALIZED (
    SELECT lease.partition FROM batch JOIN lease USING (partition, epoch) JOIN progress USING (partition)
    WHERE lease.owner IS NOT NULL AND progress.number = batch.number - 1 {unused}
    FOR KEY SHARE OF lease FOR UPDATE OF progress
)"
        )
    }
}

/// The end of a statement that only locks.
const LOCKED: &str = "
SELECT FROM next";

/// Which rows a part writes. Asked once for each part: a join with `next` would take more than the rows of a small batch.
const ALLOWED: &str = "given.partition = ANY (ARRAY(SELECT partition FROM next))";

impl<'c> Statement<'c> {
    /// Returns the statement that gives the partitions their next numbers; it answers with a row for each (see `judge`).
    pub(super) fn that_counts(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        let guard = Guard::of(commits);
        Self::new(guard.counts(), guard.counted(), commits, numbers)
    }

    /// Returns the statement that only locks what the other one counts.
    pub(super) fn that_locks(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        Self::new(Guard::of(commits).locks(), LOCKED.into(), commits, numbers)
    }

    fn new(sql: String, end: String, commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        let partitions: Vec<i32> = commits.iter().map(|commit| key(commit.partition)).collect();
        let epochs: Vec<i64> = commits.iter().map(|commit| commit.epoch.0).collect();
        let mut values: Vec<Value<'c>> = vec![Box::new(partitions), Box::new(epochs), Box::new(numbers)];
        let fresh = Rows::of(commits, |commit| &commit.fresh);
        if !fresh.rows.is_empty() {
            let ids = fresh.iter().map(|(instance, start)| (instance.as_str(), start.as_str()));
            let (instances, starts): (Vec<&str>, Vec<&str>) = ids.unzip();
            values.extend([Box::new(fresh.partitions) as Value<'c>, Box::new(instances), Box::new(starts)]);
        }
        Self { sql, end, count: 0, values }
    }

    /// Adds rows to a table. The first column is the partition.
    pub(super) fn add(&mut self, table: &str, columns: Vec<Column<'c>>, present: Present) {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let list = names.join(", ");
        let rows = self.rows(columns);
        let conflict = match present {
            Present::Refused => String::new(),
            Present::Replaced(keys) => {
                let (keys, others) = names.split_at(1 + keys);
                let set: Vec<_> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
                format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), set.join(", "))
            }
        };
        self.part(&format!(
            "INSERT INTO {table} ({list}) SELECT given.* FROM {rows} AS given ({list}) WHERE {ALLOWED}{conflict}"
        ));
    }

    /// Removes the rows of a table that have these values, of which the first is the partition; those that are not there
    /// are no trouble.
    ///
    /// Each is looked up by its key (see `Use::options`), then removed by where it lies: nobody else changes it, for the
    /// rows of a partition are written under its lock.
    pub(super) fn remove(&mut self, table: &str, columns: Vec<Column<'c>>) {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let rows = self.rows(columns);
        let same: Vec<_> = names.iter().map(|name| format!("t.{name} = given.{name}")).collect();
        let (names, same) = (names.join(", "), same.join(" AND "));
        self.part(&format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT old.ctid
        FROM {rows} AS given ({names}), LATERAL (
            SELECT t.ctid FROM {table} AS t WHERE {same} OFFSET 0) AS old WHERE {ALLOWED}))"
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
        write!(self.sql, ", part_{} AS (\n    {sql}\n)", self.count).expect("a string takes all that is written to it");
    }

    /// Returns its text. The same groups of parts give the same text.
    pub(super) fn sql(&self) -> String {
        [&*self.sql, &*self.end].concat()
    }

    /// Returns its values.
    pub(super) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }
}
