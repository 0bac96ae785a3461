//! orchestrator-svc: owns partitions, runs turns, commits, publishes, fires timers.
//!
//! The decisions are in [`owner`], a type without I/O and clock; the shell around it moves bytes. A user's own binary
//! registers its orchestrators and calls [`run`].

mod bindings;
pub mod leases;
mod open;
pub mod owner;
mod run;
mod shell;

pub use run::{replica, run};
pub use shell::{Hung, Replica};
