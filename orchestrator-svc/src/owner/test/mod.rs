//! The owner's loop, stepped through loss, duplicates and returns.

mod begin;
mod clock;
mod counts;
mod crashes;
mod duplicates;
mod expiry;
mod fairness;
mod fresh;
mod large;
mod late;
mod lifecycle;
mod outbox;
mod packs;
mod partitions;
mod poison;
mod purge;
mod random;
mod redispatch;
mod rows;
mod runs;
mod scale;
mod shelf;
mod sim;
mod traces;
mod unreadable;
mod words;
mod world;

use warren::{Activity, ClosePolicy, Context, Event, Failure, Orchestrator, Registry, all, seconds};

pub(crate) const DOUBLE: Activity<i64, i64> = Activity::new("double");
pub(crate) const GO: Event<i64> = Event::new("go");

/// Doubles its input twice.
async fn twice(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.call(DOUBLE, n).await?;
    ctx.call(DOUBLE, n).await
}

/// Doubles 0 to n at once and adds them.
async fn wide(ctx: Context, n: i64) -> Result<i64, Failure> {
    Ok(all((0..n).map(|i| ctx.call(DOUBLE, i))).await?.iter().sum())
}

/// Waits so many seconds.
async fn sleeper(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.timer(seconds(u64::try_from(n)?)).await;
    Ok(n)
}

/// Waits for two events and adds them.
async fn adder(ctx: Context, _: i64) -> Result<i64, Failure> {
    Ok(ctx.event(GO).await? + ctx.event(GO).await?)
}

/// Has a child do it.
async fn parent(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.orchestrator(Orchestrator::<i64, i64>::new("twice")).id(format!("child-{n}")).call(n).await
}

/// Has a child that waits for ever.
async fn patient(ctx: Context, n: i64) -> Result<i64, Failure> {
    let alone = ctx
        .orchestrator(Orchestrator::<i64, i64>::new("adder"))
        .id(format!("alone-{n}"))
        .on_close(ClosePolicy::Abandon)
        .call(n);
    let along = ctx.orchestrator(Orchestrator::<i64, i64>::new("adder")).id(format!("along-{n}")).call(n);
    Ok(along.await? + alone.await?)
}

/// Counts down to 0, one execution a number.
async fn countdown(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = n - ctx.call(DOUBLE, n).await? / (2 * n);
    if n == 0 { Ok(ctx.event(GO).await?) } else { ctx.continue_as_new(n) }
}

/// Sends `x` an event at each number down to 0, one execution a number.
async fn relay(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.send_event("x", GO, n)?;
    ctx.call(DOUBLE, n).await?;
    if n == 0 { Ok(n) } else { ctx.continue_as_new(n - 1) }
}

/// Has a worker say it again.
async fn echo(ctx: Context, text: String) -> Result<String, Failure> {
    ctx.call(Activity::<String, String>::new("echo"), text).await
}

pub(crate) fn registry() -> Registry {
    Registry::new()
        .orchestrator(Orchestrator::new("twice"), twice)
        .orchestrator(Orchestrator::new("wide"), wide)
        .orchestrator(Orchestrator::new("sleeper"), sleeper)
        .orchestrator(Orchestrator::new("adder"), adder)
        .orchestrator(Orchestrator::new("parent"), parent)
        .orchestrator(Orchestrator::new("patient"), patient)
        .orchestrator(Orchestrator::new("countdown"), countdown)
        .orchestrator(Orchestrator::new("relay"), relay)
        .orchestrator(Orchestrator::new("echo"), echo)
}
