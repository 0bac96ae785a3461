//! What a batch removes.

use rusqlite::{Connection, Params};

use super::columns::Text;
use crate::{Commit, Result};

/// Removes everything that the batch names; what is not there is no error, for a batch may be computed from a cache.
pub(super) fn all(transaction: &Connection, commit: &Commit) -> Result<()> {
    let partition = commit.partition.0;
    for (instance, execution) in &commit.forget {
        let key = || (partition, instance.as_str(), Text(execution));
        run(transaction, "DELETE FROM history WHERE partition = ?1 AND instance = ?2 AND execution = ?3", key())?;
        run(transaction, "DELETE FROM payload WHERE partition = ?1 AND instance = ?2 AND execution = ?3", key())?;
    }
    for instance in &commit.purged {
        let key = (partition, instance.as_str());
        run(transaction, "DELETE FROM instance WHERE partition = ?1 AND id = ?2", key)?;
        run(transaction, "DELETE FROM pending WHERE partition = ?1 AND instance = ?2", key)?;
    }
    for (instance, id) in &commit.timers_done {
        let key = (partition, instance.as_str(), id.0);
        run(transaction, "DELETE FROM timer WHERE partition = ?1 AND instance = ?2 AND id = ?3", key)?;
    }
    for instance in &commit.timers_clear {
        run(transaction, "DELETE FROM timer WHERE partition = ?1 AND instance = ?2", (partition, instance.as_str()))?;
    }
    for (instance, position) in &commit.pending_done {
        let key = (partition, instance.as_str(), *position);
        run(transaction, "DELETE FROM pending WHERE partition = ?1 AND instance = ?2 AND position = ?3", key)?;
    }
    for outbox in &commit.outbox_done {
        let key = (partition, *outbox);
        run(transaction, "DELETE FROM outbox WHERE partition = ?1 AND number = ?2", key)?;
    }
    for (source, sequence) in &commit.aside_done {
        let key = (partition, source.0, *sequence);
        run(transaction, "DELETE FROM aside WHERE partition = ?1 AND source = ?2 AND sequence = ?3", key)?;
    }
    for instance in &commit.suspects_done {
        run(transaction, "DELETE FROM suspect WHERE partition = ?1 AND instance = ?2", (partition, instance.as_str()))?;
    }
    for (instance, id) in &commit.task_notes_done {
        let key = (partition, instance.as_str(), id.0);
        run(transaction, "DELETE FROM task_note WHERE partition = ?1 AND instance = ?2 AND id = ?3", key)?;
    }
    Ok(())
}

fn run(transaction: &Connection, sql: &str, key: impl Params) -> Result<()> {
    transaction.prepare_cached(sql)?.execute(key)?;
    Ok(())
}
