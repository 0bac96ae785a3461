//! Batches of several partitions, in one round trip.
//!
//! Everything is one statement, fenced by its first part: whatever it writes, it writes for the rows of `next`, the
//! partitions whose epoch holds and whose number follows. Its parts see the rows as they were before the statement, so a
//! batch that adds a row where it removes one goes in two statements, in one transaction and still in one round trip: the
//! second adds for the partitions to which the first gave their numbers. That of a small batch is fenced by its last part,
//! with which it stands or falls.
//!
//! Together, because what a commit costs besides its rows (the statement, its flush to disk, the round trip) is as much
//! for one partition as for many: with four partitions apart each instance cost half as much again.

mod add;
mod head;
mod line;
mod overlap;
mod refused;
mod remove;
mod rows;
mod statement;

use std::{pin::pin, slice::from_ref, sync::OnceLock, task::Poll};

use deadpool_postgres::{Client, Pool};
use futures_util::{poll, try_join};
use tokio::sync::{MutexGuard, oneshot};
use tokio_postgres::{Error as Sql, Row, Statement as Prepared, error::DbError};
use warren_model::InstanceId;

pub(super) use self::line::Line;
use self::{
    line::{Last, Written, written},
    statement::Statement,
};
use super::{
    columns::bigint,
    error::{is_refusal, of_commit},
    flight::{READ_COMMITTED, fly},
};
use crate::{Commit, Error, Result};

/// Writes batches of several partitions, at most one of each, in one transaction: each as a whole or not at all. One that
/// the server refuses takes none with it.
pub(super) async fn commit(line: &Line, pool: &Pool, commits: &[Commit]) -> Vec<Result<()>> {
    let (tell, told) = oneshot::channel();
    let mut before = None;
    let mut results = match together(line, pool, commits, |last| before = last.follow(told)).await {
        Ok(results) => results,
        Err(Error::Refused(_) | Error::Used { .. }) if commits.len() > 1 => {
            let mut results = Vec::with_capacity(commits.len());
            for commit in commits {
                results.push(alone(line, pool, commit).await);
            }
            results
        }
        Err(error) => vec![Err(error); commits.len()],
    };
    // Not before the one before has ended, and all of it that had to be sent again: whoever comes next asks only this one.
    let mut known = match before {
        Some(before) => before.await.unwrap_or_default(),
        None => Written::default(),
    };
    send_again(line, pool, commits, &known, &mut results).await;
    known.extend(written(commits, &results));
    // Nobody may come after.
    let _ = tell.send(known);
    results
}

/// Sends again what followed a batch that was itself sent again, alone, as a neighbour in its transaction was refused. What
/// follows one that was not written stays refused: something else may have that number by now.
async fn send_again(line: &Line, pool: &Pool, commits: &[Commit], known: &Written, results: &mut [Result<()>]) {
    let is_early = |result: &Result<()>| matches!(result, Err(Error::OutOfTurn { .. }));
    for (result, commit) in results.iter_mut().zip(commits).filter(|(result, _)| is_early(result)) {
        if known.get(&commit.partition).is_some_and(|last| last + 1 == commit.number) {
            *result = alone(line, pool, commit).await;
        }
    }
}

async fn alone(line: &Line, pool: &Pool, commit: &Commit) -> Result<()> {
    together(line, pool, from_ref(commit), |_| ()).await.and_then(|mut results| results.remove(0))
}

/// Writes them, or fails for all of them. Calls `on_turn` before it sends.
async fn together(
    line: &Line,
    pool: &Pool,
    commits: &[Commit],
    on_turn: impl FnOnce(&mut Last),
) -> Result<Vec<Result<()>>> {
    let mut last = line.turn().await;
    on_turn(&mut last); // also of what can't even be sent: others are behind it
    if let Some(commit) = small(commits) {
        if send(last, pool, &Flight::of_small(commit)?).await?.is_ok() {
            return Ok(vec![Ok(())]);
        }
        // Why not, the usual statement tells.
        last = line.turn().await;
    }
    match send(last, pool, &Flight::of(commits)?).await? {
        Ok(rows) => Ok(rows.iter().zip(commits).map(|(row, commit)| judge(row, commit)).collect()),
        Err(said) => Err(refused::explain(commits, &said)),
    }
}

/// Sends, then lets others have their turn; returns the answer, or what of it the server refuses for good.
async fn send(mut last: MutexGuard<'_, Last>, pool: &Pool, flight: &Flight<'_>) -> Result<Result<Vec<Row>, DbError>> {
    let connection = last.connection(pool).await?;
    let prepared = flight.prepare(connection.client()).await?;
    let mut answer = pin!(flight.send(connection.client(), &prepared));
    let at_once = poll!(&mut answer); // it is sent when it is first polled
    if matches!(&at_once, Poll::Ready(Err(error)) if error.as_db_error().is_none()) {
        connection.give_up(); // before anybody else sends by it
    }
    drop(last);
    let answer = match at_once {
        Poll::Ready(answer) => answer,
        Poll::Pending => answer.await,
    };
    match answer {
        Ok(rows) => Ok(Ok(rows)),
        Err(error) => match error.as_db_error() {
            Some(said) if is_refusal(said) => Ok(Err(said.clone())),
            Some(_) => Err(of_commit(error)),
            None => {
                connection.give_up();
                Err(of_commit(error))
            }
        },
    }
}

/// What is sent for batches.
struct Flight<'c> {
    /// Counts, and tells of it.
    first: Statement<'c>,
    /// Adds rows where the first removed others.
    then: Option<Statement<'c>>,
}

impl<'c> Flight<'c> {
    fn of(commits: &'c [Commit]) -> Result<Self> {
        let numbers: Vec<i64> = commits.iter().map(number).collect::<Result<_>>()?;
        let groups = Groups::of(commits);
        let mut first = Statement::that_counts(commits, numbers.clone());
        remove::all(&mut first, commits, &groups)?;
        let mut then =
            commits.iter().any(overlap::adds_where_it_removes).then(|| Statement::that_follows(commits, numbers));
        add::all(then.as_mut().unwrap_or(&mut first), commits, &groups)?;
        Ok(Self { first, then })
    }

    /// Of a small batch (see [`small`]). It has no answer: either all of it is written, or the server refuses it, for a
    /// reason that the usual one tells.
    fn of_small(commit: &'c Commit) -> Result<Self> {
        /// The text for each combination of rows: writing it takes longer than all else here.
        static TEXTS: [OnceLock<String>; 1 << ROWS] = [const { OnceLock::new() }; 1 << ROWS];
        let text = &TEXTS[rows(commit).into_iter().fold(0, |all, has| all << 1 | has)];
        let first = written_small(commit, text.get().map(String::as_str))?;
        text.get_or_init(|| first.sql().into_owned());
        Ok(Self { first, then: None })
    }

    /// Returns its statements, prepared, in the order of its own; without a round trip if the connection has done so before.
    async fn prepare(&self, client: &Client) -> Result<(Prepared, Option<Prepared>), Sql> {
        let first = client.prepare_cached(&self.first.sql()).await?;
        let then = match &self.then {
            Some(then) => Some(client.prepare_cached(&then.sql()).await?),
            None => None,
        };
        Ok((first, then))
    }

    /// Sends all of it when it is first polled; returns what the first statement answers.
    async fn send(&self, client: &Client, (first, then): &(Prepared, Option<Prepared>)) -> Result<Vec<Row>, Sql> {
        let values = self.first.values();
        let (Some(addition), Some(then)) = (&self.then, then) else {
            return client.query(first, &values).await;
        };
        let added = addition.values();
        let both = async { try_join!(client.query(first, &values), client.query(then, &added)) };
        fly(client, READ_COMMITTED, both).await.map(|(rows, _)| rows)
    }
}

fn written_small<'c>(commit: &'c Commit, known: Option<&'static str>) -> Result<Statement<'c>> {
    let mut statement = Statement::of_small(commit, number(commit)?, known);
    remove::all(&mut statement, from_ref(commit), &Groups::default())?;
    add::all(&mut statement, from_ref(commit), &Groups::default())?;
    Ok(statement)
}

/// Reads what the statement says of itself: whether the epoch held and what the last number was, both before it; whether it
/// has written; and an instance that is not new.
fn judge(row: &Row, commit: &Commit) -> Result<()> {
    let (is_held, is_written): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    let (last, used): (Option<i64>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?);
    let Commit { partition, epoch, number, fresh, .. } = commit;
    if is_written {
        return Ok(());
    }
    let fenced = Error::Fenced { partition: *partition, epoch: epoch.0 };
    // What somebody else holds has perhaps been begun there: that is no fault of who sent it.
    if !is_held {
        return Err(fenced);
    }
    let used = used.and_then(|used| fresh.iter().find(|(instance, _)| instance.as_str() == used));
    if let Some((instance, _)) = used {
        return Err(Error::Used { instance: instance.clone() });
    }
    let last = last.and_then(|last| last.try_into().ok()).unwrap_or_default();
    if last + 1 != *number {
        return Err(Error::OutOfTurn { partition: *partition, number: *number, last });
    }
    // Both were right before a takeover that the statement has waited for, or before the numbers began anew: over it is
    // either way.
    Err(fenced)
}

fn number(commit: &Commit) -> Result<i64> {
    bigint(commit.number, || format!("commit {} of partition {}", commit.number, commit.partition))
}

/// How many kinds of rows a usual batch has.
const ROWS: usize = 5;

/// Returns how many of each kind a batch has.
fn rows(Commit { instances, turns, outbox, outbox_done, fresh, .. }: &Commit) -> [usize; ROWS] {
    [instances.len(), turns.len(), outbox.len(), outbox_done.len(), fresh.len()]
}

/// Returns the batch, if it is one, with at most one row of each of the usual tables and none of another; if its instance
/// is taken for new, with the row of that.
fn small(commits: &[Commit]) -> Option<&Commit> {
    let [commit] = commits else { return None };
    let has_row = |fresh: &InstanceId| commit.instances.iter().any(|row| row.id == *fresh);
    let is_small = rows(commit).iter().all(|count| *count <= 1)
        && Groups::of(commits) == Groups::default()
        && commit.fresh.iter().all(|(fresh, _)| has_row(fresh))
        && !overlap::adds_where_it_removes(commit);
    is_small.then_some(commit)
}

/// Which tables besides the usual ones a batch touches. A statement has the parts of whole groups, empty ones too: so
/// there are sixteen statements to prepare, as many with instances that are taken for new, and two dozen of small batches
/// (see [`small`]), and not one for each combination of parts.
#[derive(Default, PartialEq, Eq)]
struct Groups {
    timers: bool,
    waiting: bool,
    partitions: bool,
    suspects: bool,
}

impl Groups {
    fn of(commits: &[Commit]) -> Self {
        let has = |is_touched: fn(&Commit) -> bool| commits.iter().any(is_touched);
        Self {
            timers: has(|Commit { timers, timers_done, timers_clear, forget, .. }| {
                !(timers.is_empty() && timers_done.is_empty() && timers_clear.is_empty() && forget.is_empty())
            }),
            waiting: has(|Commit { pending, pending_done, commands, purged, tombstones, .. }| {
                let none_go = purged.is_empty() && tombstones.is_empty();
                !(pending.is_empty() && pending_done.is_empty() && commands.is_empty() && none_go)
            }),
            partitions: has(|Commit { sent, received, aside, aside_done, .. }| {
                !(sent.is_empty() && received.is_empty() && aside.is_empty() && aside_done.is_empty())
            }),
            suspects: has(|Commit { suspects, suspects_done, task_notes, task_notes_done, .. }| {
                let none_go = suspects_done.is_empty() && task_notes_done.is_empty();
                !(suspects.is_empty() && task_notes.is_empty() && none_go)
            }),
        }
    }
}

#[cfg(test)]
#[path = "commit_test.rs"]
mod test;
