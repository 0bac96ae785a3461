//! How a statement begins and ends: by what right it writes, and what it says of that.

use std::borrow::Cow;

use super::rows::{Rows, Value};
use crate::{Commit, postgres::lease::key};

/// What stands before and behind a statement's parts, and the values of that.
pub(super) struct Head<'c> {
    pub(super) begin: String,
    pub(super) end: Cow<'static, str>,
    pub(super) values: Vec<Value<'c>>,
}

impl<'c> Head<'c> {
    /// Gives the partitions of batches their next numbers; the statement answers with a row for each (see `judge`).
    pub(super) fn that_counts(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        let guard = Guard::of(commits);
        let mut values = places(commits, numbers);
        values.extend(begun(commits));
        Self { begin: guard.counts(), end: guard.counted().into(), values }
    }

    /// Finds what the one before it has counted: nobody else gives a partition that number under that epoch, and whoever
    /// would change it waits for the end of the transaction.
    pub(super) fn that_follows(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        Self { begin: COUNTED.into(), end: "\nSELECT FROM next".into(), values: places(commits, numbers) }
    }

    /// Counts for one partition, by values instead of arrays; at most one instance is taken for new. If the epoch does not
    /// hold, the number does not follow or what is taken for new is not, it breaks a rule of the table, by which PostgreSQL
    /// undoes the whole statement: so no part of it has to ask first.
    pub(super) fn of_one(commit: &'c Commit, number: i64) -> Self {
        let mut values: Vec<Value<'c>> =
            vec![Box::new(key(commit.partition)), Box::new(commit.epoch.0), Box::new(number)];
        let end = match commit.fresh.first() {
            Some((instance, start)) => {
                values.extend([Box::new(instance.as_str()) as Value<'c>, Box::new(start.as_str())]);
                COUNTS_FRESH
            }
            None => COUNTS_ONE,
        };
        Self { begin: String::new(), end: end.into(), values }
    }
}

const COUNTS_ONE: &str = "
UPDATE progress SET number = CASE WHEN epoch = $2::bigint AND number = $3::bigint - 1 THEN $3 ELSE -1 END
WHERE partition = $1::integer";

const COUNTS_FRESH: &str = "
UPDATE progress SET number = CASE WHEN epoch = $2::bigint AND number = $3::bigint - 1
    AND NOT EXISTS (SELECT FROM pending WHERE partition = $1::integer AND instance = $4::text)
    AND NOT EXISTS (SELECT FROM command WHERE partition = $1::integer AND id = $5::text) THEN $3 ELSE -1 END
WHERE partition = $1::integer";

const COUNTED: &str = "WITH next AS MATERIALIZED (
    SELECT partition FROM progress
    JOIN unnest($1::integer[], $2::bigint[], $3::bigint[]) AS batch (partition, epoch, number) USING (partition, epoch, number)
)";

/// Returns the partitions, epochs and numbers of batches.
fn places<'c>(commits: &[Commit], numbers: Vec<i64>) -> Vec<Value<'c>> {
    let partitions: Vec<i32> = commits.iter().map(|commit| key(commit.partition)).collect();
    let epochs: Vec<i64> = commits.iter().map(|commit| commit.epoch.0).collect();
    vec![Box::new(partitions), Box::new(epochs), Box::new(numbers)]
}

/// Returns the partitions, ids and starts of what is taken for new; nothing if nothing is.
fn begun(commits: &[Commit]) -> Vec<Value<'_>> {
    let fresh = Rows::of(commits, |commit| &commit.fresh);
    if fresh.is_empty() {
        return Vec::new();
    }
    vec![
        fresh.partitions().values.all(),
        Box::new(fresh.iter().map(|(instance, _)| instance.as_str()).collect::<Vec<_>>()),
        Box::new(fresh.iter().map(|(_, start)| start.as_str()).collect::<Vec<_>>()),
    ]
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

    /// Takes the numbers.
    fn counts(&self) -> String {
        let Self { used, unused, .. } = self;
        format!(
            "WITH batch AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS given (partition, epoch, number, place)
){used}, next AS (
    UPDATE progress SET number = batch.number FROM batch
    WHERE progress.partition = batch.partition AND progress.epoch = batch.epoch AND progress.number = batch.number - 1 {unused}
    RETURNING progress.partition
)"
        )
    }

    fn counted(&self) -> String {
        let said = self.said;
        format!(
            "
SELECT coalesce(progress.epoch = batch.epoch, false), partition = ANY (ARRAY(SELECT partition FROM next)), progress.number, {said}
FROM batch LEFT JOIN progress USING (partition) ORDER BY place"
        )
    }
}
