//! Rows as the columns of a statement.

use std::{collections::HashSet, hash::Hash};

use tokio_postgres::types::ToSql;

use crate::{Commit, Result, postgres::lease::key};

pub(super) type Value<'c> = Box<dyn ToSql + Send + Sync + 'c>;

/// A column of rows that are written or named.
pub(super) struct Column<'c> {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) values: Box<dyn Values<'c> + 'c>,
}

/// What a column has for each row.
pub(super) trait Values<'c> {
    fn is_empty(&self) -> bool;
    /// Returns the value of the only row.
    fn only(self: Box<Self>) -> Value<'c>;
    /// Returns an array.
    fn all(self: Box<Self>) -> Value<'c>;
}

impl<'c, T: ToSql + Send + Sync + 'c> Values<'c> for Vec<T> {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn only(mut self: Box<Self>) -> Value<'c> {
        Box::new(self.pop().expect("there is one row"))
    }

    fn all(self: Box<Self>) -> Value<'c> {
        self
    }
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

impl<T> Default for Rows<'_, T> {
    fn default() -> Self {
        Self { partitions: Vec::new(), rows: Vec::new() }
    }
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

    /// Returns those of which something is true, and the others.
    pub(super) fn split(self, is_one: impl Fn(i32, &T) -> bool) -> (Self, Self) {
        let (mut those, mut others) = (Self::default(), Self::default());
        for (partition, row) in self.partitions.into_iter().zip(self.rows) {
            let side = if is_one(partition, row) { &mut those } else { &mut others };
            side.partitions.push(partition);
            side.rows.push(row);
        }
        (those, others)
    }

    fn select(commits: &'c [Commit], select: impl Fn(&'c Commit) -> Vec<&'c T>) -> Self {
        let (mut partitions, mut rows) = (Vec::new(), Vec::new());
        for commit in commits {
            rows.extend(select(commit));
            partitions.resize(rows.len(), key(commit.partition));
        }
        Self { partitions, rows }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'c T> {
        self.rows.iter().copied()
    }

    /// Returns the column with each row's partition, which is the first of every table's.
    pub(super) fn partitions(&self) -> Column<'c> {
        Column::new("partition", "integer", self.partitions.iter().copied())
    }
}
