//! Batches of several partitions, in one transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::{delete, error::of_commit, insert, lease};
use crate::{Commit, Error, Result};

/// Writes batches, each as a whole or not at all: one that is fenced or refused takes none with it. Fails if nothing is
/// written, or if that is not known.
pub(super) fn commit(connection: &mut Connection, commits: &[Commit]) -> Result<Vec<Result<()>>> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(commits.len());
    for commit in commits {
        let savepoint = transaction.savepoint()?;
        let written = write(&savepoint, commit);
        if written.is_ok() {
            savepoint.commit()?;
        } else {
            savepoint.finish()?; // takes back what it has written
        }
        results.push(written);
    }
    transaction.commit().map_err(of_commit)?;
    Ok(results)
}

fn write(transaction: &Connection, commit: &Commit) -> Result<()> {
    let last = lease::fence(transaction, commit.partition, commit.epoch)?;
    number(transaction, commit, last)?;
    expect_nothing(transaction, commit)?;
    delete::all(transaction, commit)?;
    insert::all(transaction, commit)
}

/// Gives the partition the commit's number, if it follows the last one.
fn number(transaction: &Connection, commit: &Commit, last: u64) -> Result<()> {
    if Some(commit.number) != last.checked_add(1) {
        return Err(Error::OutOfTurn { partition: commit.partition, number: commit.number, last });
    }
    let mut statement = transaction.prepare_cached("UPDATE lease SET number = ?2 WHERE partition = ?1")?;
    statement.execute((commit.partition.0, commit.number))?;
    Ok(())
}

/// Fails if something is there of what is taken for new.
fn expect_nothing(transaction: &Connection, commit: &Commit) -> Result<()> {
    if commit.fresh.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM instance WHERE partition = ?1 AND id = ?2)
            OR EXISTS (SELECT 1 FROM pending WHERE partition = ?1 AND instance = ?2)
            OR EXISTS (SELECT 1 FROM command WHERE partition = ?1 AND id = ?3)",
    )?;
    for (instance, start) in &commit.fresh {
        if statement.query_row((commit.partition.0, instance.as_str(), start.as_str()), |row| row.get(0))? {
            return Err(Error::Used { instance: instance.clone() });
        }
    }
    Ok(())
}
