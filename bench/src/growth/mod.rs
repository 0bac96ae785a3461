//! `make bench-growth`: what a piece of work costs must not grow with anything.
//!
//! Each part varies one thing (the length of a history, the instances in the store, the width of a fan-out, processes) and
//! measures processor time for the same piece of work, as wall time says little where machines are shared. Rounds over all
//! sizes are taken in turns, so that what disturbs them disturbs all.

mod chart;
mod fan_out;
mod fleet;
mod history;
mod memory;
mod outcome;
mod plan;
mod processes;
mod sample;
mod store;
mod table;

pub(crate) use chart::draw;
use outcome::Outcome;
use plan::Part;
pub(crate) use plan::Plan;

use crate::{meter::Database, speed::machine};

/// Measures everything, prints it and writes it; returns whether nothing grows beyond the limit.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&plan.folder)?;
    // Figures count only if nothing is bought with durability.
    let database = Database::connect(&plan.store).await?.settings().await?;
    let mut outcome = Outcome::new(machine().into_iter().map(|it| (it.name, it.value)).chain(database));
    for part in plan.parts() {
        eprintln!("{}: {}", part.name(), part.says());
        let series = match part {
            Part::History => history::run(plan).await?,
            Part::Store => vec![store::run(plan).await?],
            Part::FanOut => vec![fan_out::run(plan).await?],
            Part::Workers => vec![processes::workers(plan).await?],
            Part::Replicas => vec![processes::replicas(plan).await?],
            Part::Memory => vec![memory::run(plan).await?],
        };
        outcome.series.extend(series);
        // What was measured so far is not lost if a later part fails.
        outcome.write(&plan.output)?;
    }
    table::print(&outcome, plan.ratio_max)?;
    Ok(outcome.series.iter().all(|series| series.is_flat(plan.ratio_max)))
}
