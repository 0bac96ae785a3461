//! The volume of a box: one activity, and nothing that could be left out.

mod activities;
pub mod contract;
mod orchestrator;

use contract::{COMPUTE_VOLUME, VOLUME};
use warren::Registry;

/// Adds the orchestrator and its activity to a registry.
pub fn register(registry: Registry) -> Registry {
    registry.orchestrator(VOLUME, orchestrator::volume).activity(COMPUTE_VOLUME, activities::compute_volume)
}

#[cfg(test)]
#[path = "volume_test.rs"]
mod test;
