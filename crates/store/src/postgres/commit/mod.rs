//! Batches of several partitions, in one round trip.
//!
//! Everything is one statement, fenced by its first part: whatever it writes, it writes for the rows of `next`, the
//! partitions whose epoch holds and whose number follows. Its parts see the rows as they were before the statement, so a
//! batch that adds a row where it removes one goes in two statements, in one transaction and still in one round trip.
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

use std::{pin::pin, slice::from_ref, task::Poll};

use deadpool_postgres::{Client, Pool};
use futures_util::{poll, try_join};
use tokio::sync::oneshot;
use tokio_postgres::{Error as Sql, Row, Statement as Prepared};

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
    let flight = Flight::of(commits)?;
    let connection = last.connection(pool).await?;
    let prepared = flight.prepare(connection.client()).await?;
    let answer = {
        let mut answer = pin!(flight.send(connection.client(), &prepared));
        let at_once = poll!(&mut answer); // it is sent when it is first polled
        if matches!(&at_once, Poll::Ready(Err(error)) if error.as_db_error().is_none()) {
            connection.give_up(); // before anybody else sends by it
        }
        drop(last);
        match at_once {
            Poll::Ready(answer) => answer,
            Poll::Pending => answer.await,
        }
    };
    match answer {
        Ok(rows) => Ok(rows.iter().zip(commits).map(|(row, commit)| judge(row, commit)).collect()),
        Err(error) => match error.as_db_error() {
            Some(said) if is_refusal(said) => Err(refused::explain(commits, said)),
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
    /// Goes first if rows are added where others are removed.
    removal: Option<Statement<'c>>,
    rest: Statement<'c>,
}

impl<'c> Flight<'c> {
    fn of(commits: &'c [Commit]) -> Result<Self> {
        let numbers = commits.iter().map(|commit| bigint(commit.number, || name(commit)));
        let numbers: Vec<i64> = numbers.collect::<Result<_>>()?;
        let groups = Groups::of(commits);
        let overlaps = commits.iter().any(overlap::adds_where_it_removes);
        let mut rest = match groups.small(commits).filter(|_| !overlaps) {
            Some(commit) => Statement::of_small(commit, numbers[0]),
            None => Statement::that_counts(commits, numbers.clone()),
        };
        let removal = if overlaps {
            let mut removal = Statement::that_locks(commits, numbers);
            remove::all(&mut removal, commits, &groups)?;
            Some(removal)
        } else {
            remove::all(&mut rest, commits, &groups)?;
            None
        };
        add::all(&mut rest, commits, &groups)?;
        Ok(Self { removal, rest })
    }

    /// Returns its statements, prepared, in the order of its own; without a round trip if the connection has done so before.
    async fn prepare(&self, client: &Client) -> Result<(Option<Prepared>, Prepared), Sql> {
        let removal = match &self.removal {
            Some(removal) => Some(client.prepare_cached(&removal.sql()).await?),
            None => None,
        };
        Ok((removal, client.prepare_cached(&self.rest.sql()).await?))
    }

    /// Sends all of it when it is first polled.
    async fn send(&self, client: &Client, (first, rest): &(Option<Prepared>, Prepared)) -> Result<Vec<Row>, Sql> {
        let values = self.rest.values();
        let (Some(removal), Some(first)) = (&self.removal, first) else {
            return client.query(rest, &values).await;
        };
        let first_values = removal.values();
        let both = async { try_join!(client.query(first, &first_values), client.query(rest, &values)) };
        fly(client, READ_COMMITTED, both).await.map(|(_, rows)| rows)
    }
}

/// Reads what the statement says of itself: whether the epoch held, whether the number followed and what begins is new,
/// the last number, and an instance that is not new.
fn judge(row: &Row, commit: &Commit) -> Result<()> {
    let (is_held, is_next): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    match (is_held, is_next) {
        (true, true) => Ok(()),
        (true, false) => {
            let (last, used): (Option<i64>, Option<&str>) = (row.try_get(2)?, row.try_get(3)?);
            let of = |used: &str| commit.fresh.iter().find(|(instance, _)| instance.as_str() == used);
            if let Some((instance, _)) = used.and_then(of) {
                return Err(Error::Used { instance: instance.clone() });
            }
            let last = last.and_then(|last| last.try_into().ok()).unwrap_or_default();
            Err(Error::OutOfTurn { partition: commit.partition, number: commit.number, last })
        }
        (false, _) => Err(Error::Fenced { partition: commit.partition, epoch: commit.epoch.0 }),
    }
}

fn name(commit: &Commit) -> String {
    format!("commit {} of partition {}", commit.number, commit.partition)
}

/// Which tables besides the usual ones a batch touches. A statement has the parts of whole groups, empty ones too: so
/// there are sixteen statements to prepare, as many with instances that are taken for new, and two dozen of small batches, and
/// not one for each combination of parts.
struct Groups {
    timers: bool,
    waiting: bool,
    partitions: bool,
    suspects: bool,
}

impl Groups {
    /// Returns the batch, if it is one, with at most one row of each of the usual tables and none of another.
    fn small<'c>(&self, commits: &'c [Commit]) -> Option<&'c Commit> {
        let [commit @ Commit { instances, turns, outbox, outbox_done, fresh, .. }] = commits else { return None };
        let is_usual = !(self.timers || self.waiting || self.partitions || self.suspects);
        let counts = [instances.len(), turns.len(), outbox.len(), outbox_done.len(), fresh.len()];
        (is_usual && counts.iter().all(|count| *count <= 1)).then_some(commit)
    }

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
