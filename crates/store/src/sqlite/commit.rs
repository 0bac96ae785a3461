//! One batch, in one transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::{delete, error::of_commit, insert, lease};
use crate::{Commit, Error, Result};

/// Writes all of the batch or nothing.
pub(super) fn commit(connection: &mut Connection, commit: &Commit) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let last = lease::fence(&transaction, commit.partition, commit.epoch)?;
    number(&transaction, commit, last)?;
    delete::all(&transaction, commit)?;
    insert::all(&transaction, commit)?;
    transaction.commit().map_err(of_commit)
}

/// Gives the partition the commit's number, if it follows the last one.
fn number(transaction: &Connection, commit: &Commit, last: u64) -> Result<()> {
    let name = || format!("commit {} of partition {}", commit.number, commit.partition);
    if Some(commit.number) != last.checked_add(1) {
        return Err(Error::Refused(format!("{}: the one before it is {last}", name())));
    }
    let mut statement = transaction.prepare_cached("UPDATE lease SET number = ?2 WHERE partition = ?1")?;
    statement.execute((commit.partition.0, commit.number))?;
    Ok(())
}
