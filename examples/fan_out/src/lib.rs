//! The words of a book, counted in many chunks at once: fan-out and fan-in.

mod activities;
pub mod book;
pub mod contract;
mod orchestrator;

use contract::{COUNT_WORDS, FAN_OUT, SPLIT_TEXT};
use warren::Registry;

/// Adds the orchestrator and its activities to a registry.
pub fn register(registry: Registry) -> Registry {
    registry
        .orchestrator(FAN_OUT, orchestrator::fan_out)
        .activity(SPLIT_TEXT, activities::split_text)
        .activity(COUNT_WORDS, activities::count_words)
}

#[cfg(test)]
#[path = "fan_out_test.rs"]
mod test;
