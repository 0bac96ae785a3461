//! Which row of a batch PostgreSQL refuses.

use std::fmt;

use tokio_postgres::error::{DbError, SqlState};
use warren_model::{ActionId, InstanceId, MessageId, Partition};

use crate::{Commit, Error, TurnKey, postgres::columns::uuid};

/// Names the row, as far as that can be told: PostgreSQL says which key is there already, and that a text has a NUL.
pub(super) fn explain(commits: &[Commit], said: &DbError) -> Error {
    let named = match *said.code() {
        SqlState::UNIQUE_VIOLATION => match commits.iter().find_map(|commit| present(commit, said)) {
            Some(Found::Used(instance)) => return Error::Used { instance },
            found => found.map(|found| format!("{found}: exists already")),
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

/// What is there already.
enum Found {
    Turn(TurnKey),
    Timer(InstanceId, ActionId),
    Pending(InstanceId, u64),
    Command(MessageId),
    Aside(Partition, u64),
    /// Something of an instance that was taken for new.
    Used(InstanceId),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn(key) => key.fmt(f),
            Self::Timer(instance, id) => write!(f, "timer {id} of instance {instance}"),
            Self::Pending(instance, position) => write!(f, "pending message {position} of instance {instance}"),
            Self::Command(id) => write!(f, "command {id}"),
            Self::Aside(source, sequence) => write!(f, "message {sequence} from partition {source}"),
            Self::Used(instance) => write!(f, "instance {instance}"),
        }
    }
}

/// Returns the row whose key is there already. The server's detail ends in `=(KEY) already exists.`, in the server's
/// language but for the key itself.
fn present(commit: &Commit, said: &DbError) -> Option<Found> {
    let detail = said.detail()?;
    let partition = commit.partition.0;
    let is_key = |key: String| detail.contains(&format!("=({partition}, {key})"));
    let is_fresh = |instance: &InstanceId| commit.fresh.iter().any(|(fresh, _)| fresh == instance);
    let found = match said.table()? {
        // Only rows of instances that are taken for new are not replaced.
        "instance" => {
            let (instance, _) = commit.fresh.iter().find(|(instance, _)| is_key(instance.to_string()))?;
            return Some(Found::Used(instance.clone()));
        }
        "history" => {
            let key = |key: &TurnKey| format!("{}, {}", uuid(key.execution), key.turn);
            let row = commit.turns.iter().find(|row| is_key(key(&row.key)))?;
            (Some(&row.key.instance), Found::Turn(row.key.clone()))
        }
        "timer" => {
            let row = commit.timers.iter().find(|row| is_key(format!("{}, {}", row.instance, row.id)))?;
            (Some(&row.instance), Found::Timer(row.instance.clone(), row.id))
        }
        "pending" => {
            let row = commit.pending.iter().find(|row| is_key(format!("{}, {}", row.instance, row.position)))?;
            (Some(&row.instance), Found::Pending(row.instance.clone(), row.position))
        }
        "command" => {
            let row = commit.commands.iter().find(|row| is_key(row.id.to_string()))?;
            (None, Found::Command(row.id.clone()))
        }
        "aside" => {
            let row = commit.aside.iter().find(|row| is_key(format!("{}, {}", row.source.0, row.sequence)))?;
            (None, Found::Aside(row.source, row.sequence))
        }
        _ => return None,
    };
    match found {
        (Some(instance), _) if is_fresh(instance) => Some(Found::Used(instance.clone())),
        (_, found) => Some(found),
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
