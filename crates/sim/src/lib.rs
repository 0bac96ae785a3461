//! A seeded simulation of a whole cluster.
//!
//! The real loops run here, [`orchestrator_svc::owner::Owner`] and [`activity_worker::worker::Worker`], with the real
//! engine, SDK, codec and topology; only what moves bytes is simulated: clock, broker, store, processes, clients. A
//! seed decides everything: how rough the run is, what clients do, how long each step takes, what goes wrong and when.
//! The same seed gives the same trace. There are no threads, no I/O, no wall clock in a run.
//!
//! A run has a rough part, with faults, and a quiet end in which everything must come to rest. `invariants` are
//! checked after each step that may break them, now and then, and at rest.
//!
//! [`Mutation`]s are mistakes made on purpose in the simulated shell or store: the tests show that each is caught.

mod agenda;
mod broker;
mod client;
mod fault;
mod invariants;
mod ledger;
mod mutation;
mod profile;
mod random;
#[cfg(test)]
mod regressions;
mod replica;
mod run;
mod show;
mod store;
mod time;
mod trace;
mod worker;
mod workload;
mod world;

pub use fault::{Fault, Faults};
pub use invariants::Violation;
pub use mutation::Mutation;
pub use run::{Options, Report, run};
