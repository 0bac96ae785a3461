//! SQLite's errors, by what the caller should do.

use rusqlite::{Error as Sql, ErrorCode, ffi};

use crate::Error;

/// What a failure outside a COMMIT means: nothing was written.
impl From<Sql> for Error {
    fn from(error: Sql) -> Self {
        match kind(&error) {
            Kind::Busy | Kind::Trouble => Self::Unavailable(error.to_string()),
            Kind::Refused => Self::Refused(error.to_string()),
            Kind::Unreadable => Self::Corrupt { what: "the SQLite database".into(), why: why(&error) },
        }
    }
}

/// Returns what a failed COMMIT means. SQLite says busy before it writes; whatever else goes wrong may come after.
pub(super) fn of_commit(error: Sql) -> Error {
    match kind(&error) {
        Kind::Busy => Error::Unavailable(error.to_string()),
        Kind::Trouble | Kind::Refused | Kind::Unreadable => Error::Unknown(error.to_string()),
    }
}

/// Returns what a failed write of the row that `name` names means.
pub(super) fn of_row(error: Sql, name: impl Fn() -> String) -> Error {
    match kind(&error) {
        Kind::Refused => Error::Refused(format!("{}: {}", name(), reason(&error))),
        Kind::Busy | Kind::Trouble | Kind::Unreadable => error.into(),
    }
}

/// Returns what a value that SQLite gave, and that is none of ours, means.
pub(super) fn of_value(error: Sql, name: impl Fn() -> String) -> Error {
    match kind(&error) {
        Kind::Unreadable => Error::Corrupt { what: name(), why: why(&error) },
        Kind::Busy | Kind::Trouble | Kind::Refused => error.into(),
    }
}

/// Returns what is wrong with a row, without rusqlite's words around it.
pub(super) fn why(error: &Sql) -> String {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return "it is no SQLite database: point store.url at the hub's file, or where nothing is yet".into();
    }
    if let Sql::FromSqlConversionFailure(_, _, inner) = error { inner.to_string() } else { error.to_string() }
}

fn reason(error: &Sql) -> String {
    match error.sqlite_error().map(|e| e.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID) => {
            "exists already".into()
        }
        Some(_) | None => error.to_string(),
    }
}

enum Kind {
    /// Another connection is in the way; nothing was done.
    Busy,
    /// The disk, the file or the machine is in trouble, perhaps not for long.
    Trouble,
    /// SQLite will never take it.
    Refused,
    /// What is there is not what we wrote.
    Unreadable,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rusqlite's enum; what is not listed is trouble with the machine")]
fn kind(error: &Sql) -> Kind {
    match error {
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::InvalidColumnType(..)
        | Sql::Utf8Error(..)
        | Sql::QueryReturnedNoRows
        | Sql::SqlInputError { .. } => Kind::Unreadable,
        Sql::ToSqlConversionFailure(_) => Kind::Refused,
        other => match other.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => Kind::Refused,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => Kind::Unreadable,
            _ => Kind::Trouble,
        },
    }
}

#[cfg(test)]
#[path = "error_test.rs"]
mod test;
