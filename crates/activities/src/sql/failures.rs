//! What can go wrong with a statement, as failures with stable codes.

use std::time::Duration;

use deadpool_postgres::PoolError;
use serde_json::json;
use tokio_postgres::{
    Error,
    error::{DbError, Severity},
};
use warren::Failure;
use warren_store::postgres::with_causes;

/// The server refuses the statement.
pub(super) const ERROR: &str = "sql_error";
/// It took too long.
const TIMEOUT: &str = "sql_timeout";
/// The server can't be reached, or the connection broke.
const UNREACHABLE: &str = "sql_unreachable";
/// The result is over a limit.
const TOO_LARGE: &str = "sql_result_too_large";

/// Classes of SQLSTATE that may be different the next time: connections, serialization and deadlocks, resources, an
/// operator's intervention.
const RETRYABLE: [&str; 4] = ["08", "40", "53", "57"];
/// The server's own time limit for a statement, or somebody who ended it.
const CANCELED: &str = "57014";

/// Returns the failure that an error of a statement means.
pub(super) fn of(error: &Error) -> Failure {
    match error.as_db_error() {
        Some(said) => of_server(said),
        None => Failure::new(UNREACHABLE, with_causes(error)),
    }
}

/// Returns the failure that an error of a commit means. An error has undone the statement; whatever ended the session may
/// have come after it was written.
pub(super) fn of_commit(error: &Error) -> Failure {
    match error.as_db_error() {
        Some(said) if said.parsed_severity() == Some(Severity::Error) => of_server(said),
        Some(_) | None => {
            Failure::new(UNREACHABLE, format!("nobody knows whether it was written: {}", with_causes(error)))
        }
    }
}

pub(super) fn no_connection(error: &PoolError) -> Failure {
    match error {
        PoolError::Backend(error) => {
            let failure = Failure::new(UNREACHABLE, with_causes(error));
            let state = error.code().map(|state| json!({"sqlstate": state.code()}));
            state.map_or_else(|| failure.clone(), |details| failure.clone().with_details(&details))
        }
        PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            Failure::new(UNREACHABLE, format!("PostgreSQL gave no connection: {error}"))
        }
    }
}

pub(super) fn too_slow(within: Duration) -> Failure {
    Failure::new(TIMEOUT, format!("no result within {} s", within.as_secs()))
}

pub(super) fn too_large(setting: &str, max: impl std::fmt::Display) -> Failure {
    Failure::permanent(TOO_LARGE, format!("the result is larger than {setting} = {max} allows"))
}

fn of_server(said: &DbError) -> Failure {
    let state = said.code().code();
    let code = if state == CANCELED { TIMEOUT } else { ERROR };
    let retryable = RETRYABLE.iter().any(|class| state.starts_with(class));
    let mut details = json!({"sqlstate": state});
    for (name, value) in [("table", said.table()), ("column", said.column()), ("constraint", said.constraint())] {
        if let Some(value) = value {
            details[name] = value.into();
        }
    }
    Failure { retryable, ..Failure::new(code, format!("{} (SQLSTATE {state})", said.message())) }.with_details(&details)
}
