//! What the fleet runs during a storm: orchestrators of every shape, and activities that write down what they did.

mod activities;
pub(crate) mod contract;
mod ledger;
mod orchestrators;

use std::sync::Arc;

use warren::{ActivityContext, Registry};

use self::contract::{
    BULK, Bulk, CARRY, CHAIN, DOOMED, FAILING, FAN, FICKLE, LEAF, LONG, RETRIES, ROUNDS, SIGNALS, STEP, Step, TIMERS,
    TOIL, TREE, UNSTEADY, WATCH,
};
pub(crate) use self::{ledger::Ledger, orchestrators::LEAF_STEPS};

/// Returns a registry of all orchestrators.
pub(crate) fn orchestrators() -> Registry {
    Registry::new()
        .orchestrator(CHAIN, orchestrators::chain)
        .orchestrator(FAN, orchestrators::fan)
        .orchestrator(TIMERS, orchestrators::timers)
        .orchestrator(SIGNALS, orchestrators::signals)
        .orchestrator(TREE, orchestrators::tree)
        .orchestrator(LEAF, orchestrators::leaf)
        .orchestrator(ROUNDS, orchestrators::rounds)
        .orchestrator(RETRIES, orchestrators::retries)
        .orchestrator(BULK, orchestrators::bulk)
        .orchestrator(FAILING, orchestrators::failing)
        .orchestrator(DOOMED, orchestrators::doomed)
        .orchestrator(LONG, orchestrators::long)
        .orchestrator(FICKLE, orchestrators::fickle)
}

/// Adds the activities to a registry; what they do goes into `ledger`.
pub(crate) fn activities(registry: Registry, ledger: Ledger) -> Registry {
    let ledger = Arc::new(ledger);
    let (steady, unsteady, carrying) = (ledger.clone(), ledger.clone(), ledger.clone());
    let (toiling, watching) = (ledger.clone(), ledger);
    registry
        .activity(STEP, move |ctx: ActivityContext, step: Step| activities::step(steady.clone(), ctx, step))
        .activity(CARRY, move |ctx: ActivityContext, bulk: Bulk| activities::carry(carrying.clone(), ctx, bulk))
        .activity(UNSTEADY, move |ctx: ActivityContext, step: Step| activities::step(unsteady.clone(), ctx, step))
        .activity(TOIL, move |ctx: ActivityContext, step: Step| activities::toil(toiling.clone(), ctx, step))
        .activity(WATCH, move |ctx: ActivityContext, step: Step| activities::watch(watching.clone(), ctx, step))
}

#[cfg(test)]
#[path = "workload_test.rs"]
mod test;
