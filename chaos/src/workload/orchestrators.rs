//! The shapes of the storm. What each returns follows from its input, so that anybody can say what it must be.

use std::time::Duration;

use warren::{Context, Failure, First, RetryPolicy, Second, all, hours, join, race, seconds, settled};
use warren_chaos_checker::Report;

use super::contract::{
    Bulk, BulkDone, CARRY, DOOMED, Done, Job, LEAF, LeafJob, SIGNAL, STEP, Signal, Step, TOIL, UNSTEADY, WATCH,
    ballast, failures,
};

/// How many steps a leaf does.
pub(crate) const LEAF_STEPS: u32 = 2;

pub(crate) async fn chain(ctx: Context, job: Job) -> Result<Report, Failure> {
    let mut report = Report { value: job.seed, ..Report::default() };
    for step in 0..job.size {
        if step == job.size / 2 {
            ctx.timer(pause(job.pause_ms)).await;
        }
        let done = ctx.call(STEP, plain(&job, step, report.value)).await?;
        add(&mut report, done);
    }
    Ok(report)
}

pub(crate) async fn fan(ctx: Context, job: Job) -> Result<Report, Failure> {
    let first = all((0..job.size / 2).map(|step| ctx.call(STEP, plain(&job, step, job.seed)))).await?;
    ctx.timer(pause(job.pause_ms)).await;
    let second = all((job.size / 2..job.size).map(|step| ctx.call(STEP, plain(&job, step, job.seed)))).await?;
    let mut report = Report::default();
    for done in first.into_iter().chain(second) {
        report.value = report.value.wrapping_add(done.value);
        report.runs.push(done.run);
    }
    Ok(report)
}

pub(crate) async fn timers(ctx: Context, job: Job) -> Result<Report, Failure> {
    let waits = (1..=job.size).map(|n| ctx.timer(pause(job.pause_ms * n / job.size)));
    settled(waits).await;
    match race(ctx.timer(pause(job.pause_ms / 8)), ctx.timer(hours(5))).await {
        First(()) => {}
        Second(()) => return Err(Failure::permanent("wrong_timer", "a timer of hours was first")),
    }
    let mut report = Report::default();
    add(&mut report, ctx.call(STEP, plain(&job, 0, job.seed)).await?);
    Ok(report)
}

pub(crate) async fn signals(ctx: Context, job: Job) -> Result<Report, Failure> {
    let mut report = Report { value: job.seed, ..Report::default() };
    for _ in 0..job.size {
        let Some(signal) = ctx.event(SIGNAL).within(hours(5)).await? else {
            return Err(Failure::permanent("no_signal", "a timer of hours was first"));
        };
        hear(&mut report, signal);
    }
    let done = ctx.call(STEP, plain(&job, 0, report.value)).await?;
    add(&mut report, done);
    Ok(report)
}

pub(crate) async fn tree(ctx: Context, job: Job) -> Result<Report, Failure> {
    let parent = ctx.instance().to_string();
    let leaves = all((0..job.size).map(|leaf| {
        let leaf = LeafJob { job: job.clone(), parent: parent.clone(), leaf };
        ctx.orchestrator(LEAF).call(leaf)
    }));
    let heard = async {
        let mut heard = Report::default();
        for _ in 0..job.size {
            hear(&mut heard, ctx.event(SIGNAL).await?);
        }
        Ok::<_, Failure>(heard)
    };
    let (leaves, heard) = join(leaves, heard).await;
    let mut report = heard?;
    for leaf in leaves? {
        check(&leaf.ballast, leaf.value)?;
        report.value = report.value.wrapping_add(leaf.value);
        report.runs.extend(leaf.runs);
    }
    Ok(report)
}

pub(crate) async fn leaf(ctx: Context, leaf: LeafJob) -> Result<Report, Failure> {
    let LeafJob { job, parent, leaf } = leaf;
    let mut report = Report { value: job.seed, ..Report::default() };
    let first = leaf * LEAF_STEPS;
    let done = ctx.call(STEP, plain(&job, first, report.value)).await?;
    add(&mut report, done);
    ctx.send_event(&parent, SIGNAL, Signal { serial: leaf, number: report.value })?;
    ctx.timer(pause(job.pause_ms)).await;
    for step in first + 1..first + LEAF_STEPS {
        let done = ctx.call(STEP, plain(&job, step, report.value)).await?;
        add(&mut report, done);
    }
    report.ballast = ballast(report.value);
    Ok(report)
}

pub(crate) async fn rounds(ctx: Context, mut job: Job) -> Result<Report, Failure> {
    let round = u32::try_from(job.so_far.runs.len()).unwrap_or(u32::MAX);
    if round >= job.size {
        return Ok(job.so_far);
    }
    let done = ctx.call(STEP, plain(&job, round, job.seed)).await?;
    job.so_far.value = job.so_far.value.wrapping_add(done.value);
    job.so_far.runs.push(done.run);
    ctx.timer(pause(job.pause_ms / job.size)).await;
    hear(&mut job.so_far, ctx.event(SIGNAL).await?);
    ctx.continue_as_new(job)
}

pub(crate) async fn retries(ctx: Context, job: Job) -> Result<Report, Failure> {
    let mut report = Report { value: job.seed, ..Report::default() };
    let policy = RetryPolicy::times(5).first_delay(pause(job.pause_ms / 4));
    for step in 0..job.size {
        let failures = failures(report.value, step);
        let step = Step { failures, ..plain(&job, step, report.value) };
        let done = ctx.activity(UNSTEADY).retry(policy.clone()).call(step).await?;
        add(&mut report, done);
    }
    Ok(report)
}

pub(crate) async fn bulk(ctx: Context, job: Job) -> Result<Report, Failure> {
    check(&job.ballast, job.seed)?;
    let mut report = Report { value: job.seed, ..Report::default() };
    ctx.timer(pause(job.pause_ms)).await;
    for step in 0..job.size {
        let input = Bulk { step: plain(&job, step, report.value), ballast: ballast(report.value) };
        let BulkDone { done, ballast } = ctx.call(CARRY, input).await?;
        check(&ballast, done.value)?;
        add(&mut report, done);
    }
    report.ballast = ballast(report.value);
    Ok(report)
}

pub(crate) async fn failing(ctx: Context, job: Job) -> Result<Report, Failure> {
    let policy = RetryPolicy::times(2).first_delay(pause(job.pause_ms / 2));
    let step = Step { failures: u32::MAX, ..plain(&job, 0, job.seed) };
    ctx.activity(UNSTEADY).retry(policy).call(step).await?;
    Ok(Report::default())
}

pub(crate) async fn doomed(ctx: Context, job: Job) -> Result<Report, Failure> {
    let children = all((0..job.size).map(|_| ctx.orchestrator(DOOMED).call(Job { size: 0, ..job.clone() })));
    let step = match job.size {
        0 => ctx.call(STEP, plain(&job, 0, job.seed)),
        _ => ctx.call(WATCH, plain(&job, 0, job.seed)),
    };
    ctx.event(SIGNAL).within(hours(5)).await?;
    step.await?;
    children.await?;
    Ok(Report::default())
}

pub(crate) async fn long(ctx: Context, job: Job) -> Result<Report, Failure> {
    // While the broker is away nobody hears a heartbeat.
    let policy = RetryPolicy::times(20).first_delay(pause(500));
    let toil = ctx.activity(TOIL).heartbeat(seconds(10)).retry(policy);
    let mut report = Report::default();
    add(&mut report, toil.call(plain(&job, 0, job.seed)).await?);
    Ok(report)
}

pub(crate) async fn fickle(ctx: Context, job: Job) -> Result<Report, Failure> {
    let watch = ctx.activity(WATCH).cancel_when_dropped().call(plain(&job, 1, job.seed));
    match race(watch, ctx.timer(pause(job.pause_ms / 2))).await {
        First(ended) => return Err(Failure::permanent("watch_ended", format!("{ended:?}"))),
        Second(()) => {}
    }
    let mut report = Report::default();
    add(&mut report, ctx.call(STEP, plain(&job, 0, job.seed)).await?);
    Ok(report)
}

fn plain(job: &Job, step: u32, carry: u32) -> Step {
    Step { case: job.case.clone(), step, carry, failures: 0 }
}

/// Fails where ballast is not what was sent.
fn check(found: &str, of: u32) -> Result<(), Failure> {
    if found == ballast(of) {
        return Ok(());
    }
    Err(Failure::permanent("wrong_ballast", format!("{} bytes that are not those of {of}", found.len())))
}

fn add(report: &mut Report, done: Done) {
    report.value = done.value;
    report.runs.push(done.run);
}

fn hear(report: &mut Report, signal: Signal) {
    report.value = report.value.wrapping_add(signal.number);
    report.signals.push(signal.serial);
}

fn pause(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
