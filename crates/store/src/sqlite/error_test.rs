use rusqlite::ffi;

use super::*;

fn failure(code: i32) -> Sql {
    Sql::SqliteFailure(ffi::Error::new(code), Some("as sqlite says".into()))
}

#[test]
fn what_passes_and_what_does_not_are_told_apart() {
    for code in
        [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED, ffi::SQLITE_FULL, ffi::SQLITE_IOERR_FSYNC]
    {
        assert!(matches!(Error::from(failure(code)), Error::Unavailable(_)), "{code}");
    }
    for code in [ffi::SQLITE_NOTADB, ffi::SQLITE_CORRUPT] {
        assert!(matches!(Error::from(failure(code)), Error::Corrupt { .. }), "{code}");
    }
}

#[test]
fn a_commit_that_failed_after_it_began_to_write_is_unknown() {
    assert!(matches!(of_commit(failure(ffi::SQLITE_BUSY)), Error::Unavailable(_)));
    for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_FULL, ffi::SQLITE_CORRUPT] {
        assert!(matches!(of_commit(failure(code)), Error::Unknown(_)), "{code}");
    }
}

#[test]
fn a_row_that_is_refused_is_named() {
    let refused = |code| of_row(failure(code), || "timer 1 of instance a".into()).to_string();
    assert_eq!(
        refused(ffi::SQLITE_CONSTRAINT_PRIMARYKEY),
        "accept what was given: timer 1 of instance a: exists already"
    );
    assert!(refused(ffi::SQLITE_TOOBIG).contains("timer 1 of instance a: as sqlite says"));
    assert!(matches!(of_row(failure(ffi::SQLITE_FULL), String::new), Error::Unavailable(_)));
}
