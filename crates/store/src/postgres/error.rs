//! PostgreSQL's errors, by what the caller should do.

use std::error::Error as _;

use deadpool_postgres::PoolError;
use tokio_postgres::{
    Error as Sql,
    error::{DbError, Severity},
};

use crate::Error;

/// What a failure means where nothing was written, or nothing that matters: a read, a statement that was rolled back.
impl From<Sql> for Error {
    fn from(error: Sql) -> Self {
        match error.as_db_error() {
            Some(said) => of_server(said),
            None => Self::Unavailable(with_causes(&error)),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Unavailable("PostgreSQL gave no connection in time".into()),
            other @ (PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
                Self::Unavailable(other.to_string())
            }
        }
    }
}

/// Returns what a failed commit means. An error of the statement has rolled it back; whatever ended the session may have
/// come after the commit.
pub(super) fn of_commit(error: Sql) -> Error {
    match error.as_db_error() {
        Some(said) if said.parsed_severity() == Some(Severity::Error) => of_server(said),
        Some(_) | None => Error::Unknown(with_causes(&error)),
    }
}

/// Returns whether the server refuses for good what it was given, rather than being unable to take it now.
pub(super) fn is_refusal(said: &DbError) -> bool {
    // Data that no column takes; a constraint; a row that comes twice; a limit of the program (a row that is too long).
    ["22", "23", "21", "54"].contains(&class(said))
}

fn of_server(said: &DbError) -> Error {
    let text = format!("{} (SQLSTATE {})", said.message(), said.code().code());
    match class(said) {
        _ if is_refusal(said) => Error::Refused(text),
        "XX" if said.code().code() != "XX000" => Error::Corrupt { what: "the PostgreSQL database".into(), why: text },
        // Tables, schema or rights are not as they were when the hub was opened.
        "42" | "3F" => Error::Unavailable(format!("{text}: check the hub's schema and the user's rights on it")),
        _ => Error::Unavailable(text),
    }
}

fn class(said: &DbError) -> &str {
    said.code().code().get(..2).unwrap_or_default()
}

/// Returns the error with its causes, which tokio-postgres leaves out. Neither has any value of a row.
pub fn with_causes(error: &Sql) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
