//! Where instances rest: the traits, and a backend per database.
//!
//! [`Store`] is the turn path (owners write through it), [`Queries`] is what clients read. Every write is fenced by
//! the partition's epoch. What a backend must do is written down in the conformance suite, which each one passes.
//! [`sqlite`] is the embedded backend, [`postgres`] the fleet's. This crate never runs an orchestrator, never decides
//! who owns what, and knows no broker.
//!
//! # Tables
//!
//! Every key but the hub's begins with the partition, and nothing refers from one partition to another.
//!
//! | table | one row is | key | in [`Commit`] |
//! |---|---|---|---|
//! | `hub` | the hub: name, partition count, secret | – (one row) | – |
//! | `lease` | who owns a partition; the number of its last commit | partition | `epoch`, `number` |
//! | `instance` | an [`InstanceRecord`](warren_model::InstanceRecord) | instance | `instances` |
//! | `history` | a turn: the JSON of a [`TurnRecord`](warren_model::TurnRecord) | execution, turn | `turns`, `forget` |
//! | `timer` | a timer that has not fired | instance, action | `timers`, `timers_done`, `timers_clear` |
//! | `pending` | a message that can't be handled yet | instance, position | `pending`, `pending_done` |
//! | `command` | a command that was answered | message id | `commands` |
//! | `outbox` | the turns of a batch with unconfirmed messages | commit number | `outbox`, `outbox_done` |
//! | `sent` | the last sequence given to another partition | target | `sent` |
//! | `received` | the last sequence taken from another partition | source | `received` |
//! | `aside` | a message ahead of a gap | source, sequence | `aside`, `aside_done` |
//! | `payload` | a large payload on its way (see [`Payloads`]) | its id | `forget` |
//!
//! PostgreSQL keeps the number in a table of its own (`progress`), with the epoch by which the partition is written, and the
//! version of the tables in `migration`.
//!
//! # Time
//!
//! Stores keep whole microseconds: a timestamp that is written is cut to them, and a timer's is rounded up, so that
//! none fires early. The bodies of history keep what they say, nanoseconds included.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
#[cfg(any(test, feature = "faulty"))]
pub mod faulty;
mod page;
mod payloads;
pub mod postgres;
mod queries;
mod rows;
pub mod sqlite;
mod store;
mod sweep;
mod turns;

pub use error::{Error, Result};
pub use payloads::{PayloadRow, Payloads};
pub use queries::{Filter, InstanceView, Page, Queries};
pub use rows::{
    Aside, CommandRow, Commit, Expired, Hub, HubSpec, Lease, Load, Loaded, LoadedInstance, OutboxEntry, OutboxRow,
    OutboxTurn, PartitionState, PendingRow, Progress, Renewal, Standing, Survey, Suspect, Sweep, Swept, TaskNote,
    TaskRun, TimerRow, TurnKey, TurnRow,
};
pub use store::{Epoch, Store};
