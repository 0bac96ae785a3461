//! Where instances rest: the traits, and a backend per database.
//!
//! [`Store`] is the turn path (owners write through it), [`Queries`] is what clients read. Every write is fenced by
//! the partition's epoch. What a backend must do is written down in the conformance suite, which each one passes.

mod error;
mod queries;
mod rows;
mod store;

pub use error::{Error, Result};
pub use queries::{Filter, InstanceView, Page, Queries};
pub use rows::{
    Aside, CommandRow, Commit, Hub, HubSpec, Lease, Load, Loaded, LoadedInstance, OutboxEntry, OutboxRow, OutboxTurn,
    PartitionState, PendingRow, Renewal, TimerRow, TurnKey, TurnRow,
};
pub use store::{Epoch, Store};
