//! Five greetings, one after the other: the smallest chain of activities.

mod activities;
pub mod contract;
mod orchestrator;

use contract::{GREET, HELLO};
use warren::Registry;

/// Adds the orchestrator and its activity to a registry.
pub fn register(registry: Registry) -> Registry {
    registry.orchestrator(HELLO, orchestrator::hello).activity(GREET, activities::greet)
}

#[cfg(test)]
#[path = "hello_test.rs"]
mod test;
