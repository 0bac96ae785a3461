//! The embedded backend: one hub in one SQLite file, in WAL mode with `synchronous=FULL`.
//!
//! [`Sqlite`] is orchestrator-svc's: one thread owns the one connection that writes, a second one reads for the turns.
//! [`SqliteReader`] is what other processes on the same machine open (client-api): a small pool of read-only connections
//! that read in short transactions, so that the log of the writer never has to grow for their sake.
//!
//! The database's clock is the machine's: SQLite runs in the owner's process and has none of its own.

mod columns;
mod commit;
mod delete;
mod error;
mod expire;
mod file;
mod filesystem;
mod insert;
mod lease;
mod load;
mod payload;
mod reader;
mod schema;
mod store;
mod sweep;
mod view;
mod worker;

pub use payload::SqlitePayloads;
pub use reader::SqliteReader;
pub use store::Sqlite;

#[cfg(test)]
#[path = "sqlite_test.rs"]
pub(crate) mod test;
