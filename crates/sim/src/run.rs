//! One run of one seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Faults, Mutation, Violation, world::World};

/// What to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// A mistake to make on purpose.
    pub mutation: Option<Mutation>,
    /// Whether to keep the whole trace and not only its end.
    pub keeps_trace: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How rough it was.
    pub profile: &'static str,
    /// How many steps it took.
    pub steps: u64,
    /// How many seconds passed in it.
    pub seconds: f64,
    /// How many turns its instances took.
    pub turns: u64,
    /// What went wrong.
    pub faults: Faults,
    /// Hash of the whole trace: two runs with the same hash did the same.
    pub hash: u64,
    /// The trace: all of it, or its end.
    pub trace: Vec<String>,
    /// The invariant that does not hold, if there is one.
    pub violation: Option<Violation>,
}

/// Runs a seed to its end, or to the first violation. A panic of the code under test is one too.
pub fn run(options: Options) -> Report {
    let mut world = World::new(options.seed, options.mutation, options.keeps_trace);
    let ended = catch_unwind(AssertUnwindSafe(|| while world.step() {}));
    if let Err(panic) = ended {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.violation.get_or_insert(Violation::new("panic", text.unwrap_or_default()));
    }
    Report {
        seed: options.seed,
        profile: world.profile.name,
        steps: world.steps,
        seconds: world.now.elapsed().as_secs_f64(),
        turns: world.ledger.executions.values().map(|execution| u64::from(execution.turns)).sum(),
        faults: world.faults.clone(),
        hash: world.trace.hash(),
        violation: world.violation.clone(),
        trace: world.trace.into_lines(),
    }
}

#[cfg(test)]
#[path = "run_test.rs"]
mod test;
