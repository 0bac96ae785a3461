//! The shell around the worker's loop: moves bytes between the broker, the loop and the activities. It decides nothing.
//!
//! One task per queue consumes; one task, [`serve()`], owns the loop, publishes and acknowledges; each activity is a task.
//! Whatever is spawned is joined before `serve` returns.

mod activities;
mod asking;
mod batons;
mod channels;
mod consumers;
mod declaring;
mod effects;
mod metrics;
mod publishing;
mod readiness;
mod serve;
mod traces;

pub(crate) use metrics::describe;
pub use readiness::health;
pub(crate) use serve::serve;

#[cfg(test)]
mod fixture;
