//! What the fleet runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warren::{Activity, ActivityContext, Context, Event, Failure, Orchestrator, Registry, all};
use warren_model::{Payload, Timestamp};

use crate::shape::Shape;

/// Runs one activity.
pub(crate) const STEP: Orchestrator<u32, u32> = Orchestrator::new("bench_step");
/// Waits until the time that is its input.
pub(crate) const UNTIL: Orchestrator<Timestamp, ()> = Orchestrator::new("bench_until");
/// Waits for an event.
pub(crate) const HEAR: Orchestrator<(), u32> = Orchestrator::new("bench_hear");
/// Calls activities one after the other, each with what the one before has returned.
pub(crate) const CHAIN: Orchestrator<Job, Parcel> = Orchestrator::new("bench_chain");
/// Calls activities one after the other as [`CHAIN`] does, waits to hear how many [`MORE`], and calls those too.
pub(crate) const GROW: Orchestrator<Job, Parcel> = Orchestrator::new("bench_grow");
/// Calls activities at once, and adds up what they return.
pub(crate) const FAN: Orchestrator<Job, u64> = Orchestrator::new("bench_fan");

/// Calls activities at once that only wait, for one tenant; returns how many.
pub(crate) const NAPS: Orchestrator<Naps, u32> = Orchestrator::new("bench_naps");
/// Waits, as for a remote system.
const NAP: Activity<(), ()> = Activity::new("bench_nap");
/// How long it waits.
pub(crate) const NAP_MS: u32 = 50;

/// The event that [`HEAR`] waits for.
pub(crate) const WORD: Event<u32> = Event::new("word");

/// The event that [`GROW`] waits for.
pub(crate) const MORE: Event<u32> = Event::new("more");

/// Returns its parcel with the next number.
pub(crate) const PASS: Activity<Parcel, Parcel> = Activity::new("bench_pass");

const ADD: Activity<u32, u32> = Activity::new("bench_add");

/// How much text a parcel carries, so that a payload has about 200 bytes.
const TEXT_BYTES: usize = 170;

/// What goes to and fro.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parcel {
    pub(crate) number: u64,
    pub(crate) text: String,
}

/// What an instance is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// How often, or how many at once.
    pub(crate) times: u32,
    pub(crate) parcel: Parcel,
}

/// What an instance of [`NAPS`] is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Naps {
    pub(crate) tenant: String,
    pub(crate) times: u32,
}

/// Returns the parcel with this number.
pub(crate) fn parcel(number: u64) -> Parcel {
    Parcel { number, text: "x".repeat(TEXT_BYTES) }
}

/// Returns what an instance of this kind of work gets.
pub(crate) fn job(shape: Shape, number: u64) -> Job {
    let times = if shape.width() > 1 { shape.width() } else { shape.steps() };
    Job { times, parcel: parcel(number) }
}

/// Returns how that instance ends.
pub(crate) fn outcome(shape: Shape, number: u64) -> Result<Payload, serde_json::Error> {
    match shape {
        Shape::W1 | Shape::W2 | Shape::L1 => Payload::of(&parcel(number + u64::from(shape.steps()))),
        Shape::W3 => fan_outcome(shape.width(), number),
    }
}

/// Returns how an instance ends that calls so many activities at once.
pub(crate) fn fan_outcome(width: u32, number: u64) -> Result<Payload, serde_json::Error> {
    let width = u64::from(width);
    Payload::of(&(number * width + (1..=width).sum::<u64>()))
}

/// Returns everything.
pub(crate) fn registry() -> Registry {
    let registry = Registry::new().orchestrator(STEP, step).orchestrator(UNTIL, until).orchestrator(HEAR, hear);
    registry
        .orchestrator(CHAIN, chain)
        .orchestrator(GROW, grow)
        .orchestrator(FAN, fan)
        .orchestrator(NAPS, naps)
        .activity(NAP, nap)
        .activity(ADD, add)
        .activity(PASS, pass)
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

async fn chain(ctx: Context, job: Job) -> Result<Parcel, Failure> {
    pass_on(&ctx, job).await
}

async fn grow(ctx: Context, job: Job) -> Result<Parcel, Failure> {
    let parcel = pass_on(&ctx, job).await?;
    let times = ctx.event(MORE).await?;
    pass_on(&ctx, Job { times, parcel }).await
}

async fn pass_on(ctx: &Context, job: Job) -> Result<Parcel, Failure> {
    let mut parcel = job.parcel;
    for _ in 0..job.times {
        parcel = ctx.call(PASS, parcel).await?;
    }
    Ok(parcel)
}

async fn fan(ctx: Context, job: Job) -> Result<u64, Failure> {
    let Job { times, parcel } = job;
    let calls = (0..times).map(|number| {
        let text = parcel.text.clone();
        ctx.call(PASS, Parcel { number: parcel.number + u64::from(number), text })
    });
    let passed = all(calls).await?;
    Ok(passed.iter().map(|parcel| parcel.number).sum())
}

async fn naps(ctx: Context, naps: Naps) -> Result<u32, Failure> {
    all((0..naps.times).map(|_| ctx.activity(NAP).key(&naps.tenant).call(()))).await?;
    Ok(naps.times)
}

async fn nap(_ctx: ActivityContext, (): ()) -> Result<(), Failure> {
    tokio::time::sleep(Duration::from_millis(NAP_MS.into())).await;
    Ok(())
}

async fn add(_ctx: ActivityContext, number: u32) -> Result<u32, Failure> {
    Ok(number.wrapping_add(1))
}

async fn pass(_ctx: ActivityContext, parcel: Parcel) -> Result<Parcel, Failure> {
    Ok(Parcel { number: parcel.number.wrapping_add(1), ..parcel })
}

#[cfg(test)]
#[path = "workload_test.rs"]
mod test;
