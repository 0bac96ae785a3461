//! The fleet's backend: one hub in one schema of a PostgreSQL database, with any number of replicas.
//!
//! [`Postgres`] is orchestrator-svc's, [`PostgresReader`] client-api's. A commit is one statement in one round trip,
//! reads that belong together are one pipelined transaction. Nothing here decides who owns what: a commit and a takeover
//! change the same row, and each waits for the other.
//!
//! # Locks
//!
//! A commit updates its partition's row of `progress`, where the epoch is by which the partition is written; a renewal
//! updates `lease`, so the two never wait for each other. A takeover updates both: it gives up soon where a commit stays open,
//! and a commit that comes later finds another epoch and writes nothing (H2). No row is locked without being changed, but
//! by what forgets old rows, which writes beside commits, and by an owner's first look, which must see what is on its way.
//!
//! # What ends by itself
//!
//! The server gives up a transaction whose owner says nothing for two seconds, and a statement that runs for too long: a
//! frozen owner holds nobody up. What a caller no longer waits for still ends on the server, applied or not.

mod columns;
mod commit;
mod error;
mod expire;
mod flight;
mod lease;
mod load;
mod payload;
mod pool;
mod reader;
mod schema;
mod state;
mod store;
mod sweep;
mod tls;
mod url;
mod view;

pub use error::with_causes;
pub use payload::PostgresPayloads;
pub use pool::foreign;
pub use reader::PostgresReader;
pub use store::Postgres;

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
#[path = "postgres_test.rs"]
mod test;
