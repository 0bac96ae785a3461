//! What the fleet runs.

use warren::{Activity, ActivityContext, Context, Event, Failure, Orchestrator, Registry};
use warren_model::Timestamp;

/// Runs one activity.
pub(crate) const STEP: Orchestrator<u32, u32> = Orchestrator::new("bench_step");
/// Waits until the time that is its input.
pub(crate) const UNTIL: Orchestrator<Timestamp, ()> = Orchestrator::new("bench_until");
/// Waits for an event.
pub(crate) const HEAR: Orchestrator<(), u32> = Orchestrator::new("bench_hear");

/// The event that [`HEAR`] waits for.
pub(crate) const WORD: Event<u32> = Event::new("word");

const ADD: Activity<u32, u32> = Activity::new("bench_add");

/// Returns everything.
pub(crate) fn registry() -> Registry {
    Registry::new().orchestrator(STEP, step).orchestrator(UNTIL, until).orchestrator(HEAR, hear).activity(ADD, add)
}

async fn step(ctx: Context, number: u32) -> Result<u32, Failure> {
    ctx.call(ADD, number).await
}

async fn until(ctx: Context, at: Timestamp) -> Result<(), Failure> {
    ctx.timer_until(at).await;
    Ok(())
}

async fn hear(ctx: Context, (): ()) -> Result<u32, Failure> {
    ctx.event(WORD).await
}

async fn add(_ctx: ActivityContext, number: u32) -> Result<u32, Failure> {
    Ok(number.wrapping_add(1))
}
