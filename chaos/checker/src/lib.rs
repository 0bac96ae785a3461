//! Judges a hub after a storm: what was asked for, what the activities say they did, and what the database holds.
//!
//! Written apart from Warren: it depends on none of its crates, reads the hub's tables with SQL of its own and the
//! histories' JSON with a reader of its own, so that a mistake in the engine or the store can't hide itself. It decides
//! without I/O ([`judge`]); [`Hub::read`] is all that touches a database.

mod asked;
mod history;
mod hub;
mod judge;
mod ledger;
mod read;
mod report;
mod rules;
#[cfg(test)]
mod testing;
mod verdict;

pub use asked::{Answered, Asked, Case, End, Told};
pub use hub::{Hub, InstanceRow, Queue, Rest, TurnRow};
pub use judge::judge;
pub use ledger::{Entry, What, read_ledger};
pub use report::Report;
pub use verdict::{Kind, Verdict, Violation};
