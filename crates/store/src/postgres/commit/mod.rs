//! One batch, in one round trip.
//!
//! Everything is one statement, fenced by its first part: whatever it writes, it writes for the rows of `next` (one if
//! the epoch holds and the number follows, else none). Its parts see the rows as they were before the statement, so a
//! batch that adds a row where it removes one goes in two statements, in one transaction and still in one round trip.

mod add;
mod overlap;
mod refused;
mod remove;
mod statement;

use deadpool_postgres::{Client, Pool};
use futures_util::try_join;
use tokio_postgres::{Error as Sql, Row};

use self::statement::Statement;
use super::{
    columns::bigint,
    error::{is_refusal, of_commit},
    flight::{READ_COMMITTED, fly},
    pool::discard,
};
use crate::{Commit, Error, Result};

/// Writes all of the batch or nothing.
pub(super) async fn commit(pool: &Pool, commit: &Commit) -> Result<()> {
    let flight = Flight::of(commit)?;
    let client = pool.get().await?;
    match flight.send(&client).await {
        Ok(row) => judge(&row, commit),
        Err(Failed::Unsent(error)) => Err(error.into()),
        Err(Failed::Sent(error)) => match error.as_db_error() {
            Some(said) if is_refusal(said) => Err(refused::explain(commit, said)),
            Some(_) => Err(of_commit(error)),
            None => {
                discard(client);
                Err(of_commit(error))
            }
        },
    }
}

/// What is sent for a batch.
struct Flight<'c> {
    /// Goes first if rows are added where others are removed.
    removal: Option<Statement<'c>>,
    rest: Statement<'c>,
}

/// Why a batch was not written, or may not have been.
enum Failed {
    Unsent(Sql),
    Sent(Sql),
}

impl<'c> Flight<'c> {
    fn of(commit: &'c Commit) -> Result<Self> {
        let number = bigint(commit.number, || name(commit))?;
        let groups = Groups::of(commit);
        let mut rest = Statement::that_counts(commit.partition, commit.epoch, number);
        let removal = if overlap::adds_where_it_removes(commit) {
            let mut removal = Statement::that_locks(commit.partition, commit.epoch, number);
            remove::all(&mut removal, commit, &groups)?;
            Some(removal)
        } else {
            remove::all(&mut rest, commit, &groups)?;
            None
        };
        add::all(&mut rest, commit, &groups)?;
        Ok(Self { removal, rest })
    }

    async fn send(&self, client: &Client) -> Result<Row, Failed> {
        let prepare = async |statement: &Statement<'_>| client.prepare_cached(&statement.sql()).await;
        let rest = prepare(&self.rest).await.map_err(Failed::Unsent)?;
        let values = self.rest.values();
        let Some(removal) = &self.removal else {
            return client.query_one(&rest, &values).await.map_err(Failed::Sent);
        };
        let first = prepare(removal).await.map_err(Failed::Unsent)?;
        let first_values = removal.values();
        let both = async { try_join!(client.query(&first, &first_values), client.query_one(&rest, &values)) };
        fly(client, READ_COMMITTED, both).await.map(|(_, row)| row).map_err(Failed::Sent)
    }
}

/// Reads what the statement says of itself: whether the epoch held, whether the number followed, and the last one.
fn judge(row: &Row, commit: &Commit) -> Result<()> {
    let (is_held, is_next): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    match (is_held, is_next) {
        (true, true) => Ok(()),
        (true, false) => {
            let last: Option<i64> = row.try_get(2)?;
            Err(Error::Refused(format!("{}: the one before it is {}", name(commit), last.unwrap_or_default())))
        }
        (false, _) => Err(Error::Fenced { partition: commit.partition, epoch: commit.epoch.0 }),
    }
}

fn name(commit: &Commit) -> String {
    format!("commit {} of partition {}", commit.number, commit.partition)
}

/// Which tables besides the usual ones a batch touches. A statement has the parts of whole groups, empty ones too: so
/// there are sixteen statements to prepare, and not one for each combination of parts.
struct Groups {
    timers: bool,
    waiting: bool,
    partitions: bool,
    suspects: bool,
}

impl Groups {
    fn of(commit: &Commit) -> Self {
        let Commit { timers, timers_done, timers_clear, forget, .. } = commit;
        let Commit { pending, pending_done, commands, purged, tombstones, .. } = commit;
        let Commit { sent, received, aside, aside_done, .. } = commit;
        let Commit { suspects, suspects_done, suspect_tasks, suspect_tasks_done, .. } = commit;
        let none_go = purged.is_empty() && tombstones.is_empty();
        Self {
            timers: !(timers.is_empty() && timers_done.is_empty() && timers_clear.is_empty() && forget.is_empty()),
            waiting: !(pending.is_empty() && pending_done.is_empty() && commands.is_empty() && none_go),
            partitions: !(sent.is_empty() && received.is_empty() && aside.is_empty() && aside_done.is_empty()),
            suspects: !(suspects.is_empty()
                && suspects_done.is_empty()
                && suspect_tasks.is_empty()
                && suspect_tasks_done.is_empty()),
        }
    }
}

#[cfg(test)]
#[path = "commit_test.rs"]
mod test;
