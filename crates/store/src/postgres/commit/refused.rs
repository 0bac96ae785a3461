//! Which row of a batch PostgreSQL refuses.

use tokio_postgres::error::{DbError, SqlState};
use warren_model::InstanceId;

use crate::{Commit, Error, postgres::columns::uuid};

/// Names the row, as far as that can be told: PostgreSQL says which key is there already, and that a text has a NUL.
pub(super) fn explain(commits: &[Commit], said: &DbError) -> Error {
    let named = match *said.code() {
        SqlState::UNIQUE_VIOLATION => match used(commits, said.detail().unwrap_or_default()) {
            Some(instance) => return Error::Used { instance: instance.clone() },
            None => {
                commits.iter().find_map(|commit| present(commit, said)).map(|name| format!("{name}: exists already"))
            }
        },
        SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
            commits.iter().find_map(with_nul).map(|name| format!("{name}: has a NUL, which PostgreSQL does not keep"))
        }
        _ => None,
    };
    let otherwise = || {
        let table = said.table().map(|table| format!("a row of table {table}: ")).unwrap_or_default();
        format!("{table}{} (SQLSTATE {})", said.message(), said.code().code())
    };
    Error::Refused(named.unwrap_or_else(otherwise))
}

/// Returns an instance that was taken for new: the one that the server names, by its id or its execution, or else any. Then
/// somebody looks, and what is refused for another reason is refused again.
fn used<'c>(commits: &'c [Commit], detail: &str) -> Option<&'c InstanceId> {
    let fresh = || commits.iter().flat_map(|commit| commit.fresh.iter().map(|(instance, _)| instance));
    let is_named = |instance: &&InstanceId| detail.contains(&format!(", {instance}"));
    let turns = commits.iter().flat_map(|commit| &commit.turns);
    let mut named = turns.filter(|turn| detail.contains(&uuid(turn.key.execution).to_string()));
    let of_turn = || named.find_map(|turn| fresh().find(|fresh| **fresh == turn.key.instance));
    fresh().find(is_named).or_else(of_turn).or_else(|| fresh().next())
}

/// Returns the name of the row whose key is there already. The server's detail ends in `=(KEY) already exists.`, in the
/// server's language but for the key itself.
fn present(commit: &Commit, said: &DbError) -> Option<String> {
    let detail = said.detail()?;
    let partition = commit.partition.0;
    let is_key = |key: String| detail.contains(&format!("=({partition}, {key})"));
    match said.table()? {
        "history" => {
            let key = |key: &crate::TurnKey| format!("{}, {}", uuid(key.execution), key.turn);
            commit.turns.iter().find(|row| is_key(key(&row.key))).map(|row| row.key.to_string())
        }
        "timer" => {
            let row = commit.timers.iter().find(|row| is_key(format!("{}, {}", row.instance, row.id)))?;
            Some(format!("timer {} of instance {}", row.id, row.instance))
        }
        "pending" => {
            let row = commit.pending.iter().find(|row| is_key(format!("{}, {}", row.instance, row.position)))?;
            Some(format!("pending message {} of instance {}", row.position, row.instance))
        }
        "command" => {
            commit.commands.iter().find(|row| is_key(row.id.to_string())).map(|row| format!("command {}", row.id))
        }
        "aside" => {
            let row = commit.aside.iter().find(|row| is_key(format!("{}, {}", row.source.0, row.sequence)))?;
            Some(format!("message {} from partition {}", row.sequence, row.source))
        }
        _ => None,
    }
}

/// Returns the name of the first row with a NUL. Ids have none, and in JSON it is escaped.
fn with_nul(commit: &Commit) -> Option<String> {
    let has_nul = |text: &str| text.contains('\0');
    let of_instance = commit
        .instances
        .iter()
        .find(|row| has_nul(&row.name) || row.version.as_deref().is_some_and(has_nul))
        .map(|row| format!("instance {}", row.id));
    of_instance.or_else(|| commit.turns.iter().find(|row| has_nul(&row.body)).map(|row| row.key.to_string()))
}
