//! How a statement begins and ends: by what right it writes, and what it says of that.

use super::rows::{Rows, Value};
use crate::{Commit, postgres::lease::key};

/// What stands before and behind a statement's parts, and the values of that.
pub(super) struct Head<'c> {
    pub(super) begin: String,
    pub(super) end: String,
    pub(super) values: Vec<Value<'c>>,
}

impl<'c> Head<'c> {
    /// Gives the partitions of batches their next numbers; the statement answers with a row for each (see `judge`).
    pub(super) fn that_counts(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        let guard = Guard::of(commits);
        Self { begin: guard.counts(), end: guard.counted(), values: values(commits, numbers) }
    }

    /// Only locks what the other one counts.
    pub(super) fn that_locks(commits: &'c [Commit], numbers: Vec<i64>) -> Self {
        let begin = Guard::of(commits).locks();
        Self { begin, end: "\nSELECT FROM next".into(), values: values(commits, numbers) }
    }

    /// Counts for one partition, by values instead of arrays; at most one instance is taken for new.
    pub(super) fn of_one(commit: &'c Commit, number: i64) -> Self {
        let mut values: Vec<Value<'c>> =
            vec![Box::new(key(commit.partition)), Box::new(commit.epoch.0), Box::new(number)];
        let fresh = commit.fresh.first();
        if let Some((instance, start)) = fresh {
            values.extend([Box::new(instance.as_str()) as Value<'c>, Box::new(start.as_str())]);
        }
        let (used, unused, said) = match fresh {
            Some(_) => {
                (USED_ONE, "AND NOT EXISTS (SELECT FROM used)", "CASE WHEN EXISTS (SELECT FROM used) THEN $4 END")
            }
            None => ("", "", "NULL::text"),
        };
        let begin = format!(
            "WITH fence AS MATERIALIZED (
    SELECT FROM lease WHERE partition = $1::integer AND epoch = $2::bigint AND owner IS NOT NULL FOR KEY SHARE
){used}, next AS (
    UPDATE progress SET number = $3::bigint
    WHERE partition = $1 AND number = $3::bigint - 1 AND EXISTS (SELECT FROM fence) {unused}
    RETURNING partition
)"
        );
        let end = format!(
            "
SELECT EXISTS (SELECT FROM fence), EXISTS (SELECT FROM next),
    CASE WHEN NOT EXISTS (SELECT FROM next) THEN (SELECT number FROM progress WHERE partition = $1) END, {said}"
        );
        Self { begin, end, values }
    }
}

const USED_ONE: &str = ", used AS MATERIALIZED (
    (SELECT FROM pending WHERE partition = $1 AND instance = $4::text LIMIT 1)
    UNION ALL (SELECT FROM command WHERE partition = $1 AND id = $5::text LIMIT 1)
)";

fn values<'c>(commits: &'c [Commit], numbers: Vec<i64>) -> Vec<Value<'c>> {
    let partitions: Vec<i32> = commits.iter().map(|commit| key(commit.partition)).collect();
    let epochs: Vec<i64> = commits.iter().map(|commit| commit.epoch.0).collect();
    let mut values: Vec<Value<'c>> = vec![Box::new(partitions), Box::new(epochs), Box::new(numbers)];
    let fresh = Rows::of(commits, |commit| &commit.fresh);
    if !fresh.is_empty() {
        values.extend([
            fresh.partitions().values.all(),
            Box::new(fresh.iter().map(|(instance, _)| instance.as_str()).collect::<Vec<_>>()),
            Box::new(fresh.iter().map(|(_, start)| start.as_str()).collect::<Vec<_>>()),
        ]);
    }
    values
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
