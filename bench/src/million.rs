//! A million instances wait, half for a time that is far away, half for an event.
//!
//! Shown in one run: how much memory orchestrator-svc takes, how soon it is ready, how fast new work is beside that of a
//! hub without any other instance, how fast those that wait are woken, and how a burst of timers goes by.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use anyhow::ensure;
use clap::Args;
use tokio::time::{Instant, sleep};
use warren_model::{InstanceId, Payload, Timestamp};

use crate::{
    copy::Rows,
    fleet::{Places, Service},
    load::Load,
    report::{Report, median},
    workload::{HEAR, UNTIL},
};

/// The hub of those that wait, and the one without.
const FULL: &str = "bench_full";
const EMPTY: &str = "bench_empty";
/// Far away.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often the new work is measured on each of the two hubs, in turns.
const ROUNDS: usize = 5;

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    broker: String,

    /// A PostgreSQL database without hubs; the role must be a superuser's, for a checkpoint
    #[arg(long, value_name = "URL")]
    store: String,

    /// How many instances wait
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    instances: usize,

    /// How many instances of one activity are the new work of a round
    #[arg(long, value_name = "NUMBER", default_value_t = 2_000)]
    work: u32,

    /// How many of those that wait for an event get it
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    woken: usize,

    /// How many more are started, one by one, and wait: more than orchestrator-svc keeps in memory
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    started: u32,

    /// How many timers come due at once
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    burst: usize,

    /// How much orchestrator-svc may take, in MiB
    #[arg(long, value_name = "MEBIBYTES", default_value_t = 300.0)]
    memory_max: f64,

    /// How much slower new work may be than on the empty hub
    #[arg(long, value_name = "RATIO", default_value_t = 0.8)]
    ratio_min: f64,

    /// Where logs and figures go
    #[arg(long, value_name = "FOLDER", default_value = "target/million")]
    folder: PathBuf,
}

/// Measures everything; returns whether it is within the limits.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&plan.folder)?;
    let (broker, store, folder) = (plan.broker.clone(), plan.store.clone(), plan.folder.clone());
    let places = Places { broker, store, folder, settings: Vec::new() };
    let mut report = Report::default();
    let events = fill(plan, &places, &mut report).await?;
    work(plan, &places, &events, &mut report).await?;
    burst(plan, &places, &mut report).await?;
    let is_well = report.get("memory_peak_mib") <= plan.memory_max
        && report.get("burst_memory_peak_mib") <= plan.memory_max
        && report.get("first_answer_seconds") <= 10.0
        && report.get("work_ratio") >= plan.ratio_min;
    report.write(&plan.folder.join("million.json"))?;
    Ok(is_well)
}

/// Starts one instance of each kind, and makes the others of them; returns those that wait for an event.
async fn fill(plan: &Plan, places: &Places, report: &mut Report) -> anyhow::Result<Vec<InstanceId>> {
    let (service, _) = Service::start("orchestrator", FULL, places).await?;
    let load = Load::connect(FULL, places).await?;
    let far = Timestamp::try_from(SystemTime::now() + MONTH)?;
    let timer = load.start(UNTIL.name(), Payload::of(&far)?).await?;
    let event = load.start(HEAR.name(), Payload::of(&())?).await?;
    service.stop().await?;
    let begun = Instant::now();
    let mut rows = Rows::connect(&places.store, FULL).await?;
    rows.copy(&timer, plan.instances / 2).await?;
    let events = rows.copy(&event, plan.instances - plan.instances / 2).await?;
    rows.settle().await?;
    report.note("fill_seconds", begun.elapsed().as_secs_f64());
    let (waiting, timers) = rows.waiting().await?;
    report.note("instances_waiting", waiting as f64);
    report.note("timers_waiting", timers as f64);
    Ok(events)
}

/// Measures the start, new work beside that of an empty hub, and waking.
async fn work(plan: &Plan, places: &Places, events: &[InstanceId], report: &mut Report) -> anyhow::Result<()> {
    let on_full = Load::connect(FULL, places).await?;
    let begun = Instant::now();
    let (full, ready) = Service::start("orchestrator", FULL, places).await?;
    on_full.start(HEAR.name(), Payload::of(&())?).await?;
    report.note("ready_seconds", ready.as_secs_f64());
    report.note("first_answer_seconds", begun.elapsed().as_secs_f64());
    report.note("memory_ready_mib", full.memory() as f64);
    let (empty, ready) = Service::start("orchestrator", EMPTY, places).await?;
    report.note("ready_seconds_empty", ready.as_secs_f64());
    let workers = (Service::start("worker", FULL, places).await?.0, Service::start("worker", EMPTY, places).await?.0);
    let on_empty = Load::connect(EMPTY, places).await?;
    for load in [&on_empty, &on_full] {
        load.steps(plan.work / 4).await?;
    }
    let (mut rates, mut rates_empty, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (bare, filled) = (on_empty.steps(plan.work).await?, on_full.steps(plan.work).await?);
        rates_empty.push(bare);
        rates.push(filled);
        ratios.push(filled / bare);
    }
    report.note("work_per_second_empty", median(rates_empty));
    report.note("work_per_second", median(rates));
    report.note("work_ratio", median(ratios));
    report.note("memory_after_work_mib", full.memory() as f64);
    report.note("memory_after_work_mib_empty", empty.memory() as f64);
    report.note("started_per_second", on_full.starts(HEAR.name(), &Payload::of(&())?, plan.started).await?);
    report.note("memory_after_starts_mib", full.memory() as f64);
    report.note("woken_per_second", on_full.wake(&events[..plan.woken.min(events.len())]).await?);
    report.note("memory_peak_mib", full.peak_memory() as f64);
    for service in [workers.0, workers.1, empty, full] {
        service.stop().await?;
    }
    Ok(())
}

/// Lets many timers come due at one moment, with other work going on.
async fn burst(plan: &Plan, places: &Places, report: &mut Report) -> anyhow::Result<()> {
    let (service, _) = Service::start("orchestrator", FULL, places).await?;
    let load = Load::connect(FULL, places).await?;
    let mut rows = Rows::connect(&places.store, FULL).await?;
    let before = rows.completed(UNTIL.name()).await?;
    // Time enough for the copies and the start.
    let pause = Duration::from_secs(20 + plan.burst as u64 / 5_000);
    let at = Timestamp::try_from(SystemTime::now() + pause)?;
    let one = load.start(UNTIL.name(), Payload::of(&at)?).await?;
    service.stop().await?;
    rows.copy(&one, plan.burst - 1).await?;
    rows.settle().await?;
    ensure!(Timestamp::now() < at, "the copies took too long: the timers are due already");
    let (service, ready) = Service::start("orchestrator", FULL, places).await?;
    report.note("burst_ready_seconds", ready.as_secs_f64());
    let (worker, _) = Service::start("worker", FULL, places).await?;
    ensure!(Timestamp::now() < at, "the start took too long: the timers are due already");
    load.step(0).await?;
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(load.step(0).await?.as_secs_f64() * 1e3);
    }
    sleep((at - Timestamp::now()).try_into().unwrap_or_default()).await;
    let begun = Instant::now();
    let mut others = Vec::new();
    while rows.due().await? > 0 {
        others.push(load.step(0).await?.as_secs_f64() * 1e3);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let fired = rows.completed(UNTIL.name()).await? - before;
    ensure!(fired == plan.burst as i64, "{fired} instances have ended, and {} timers were due", plan.burst);
    report.note("burst_timers", plan.burst as f64);
    report.note("burst_seconds", seconds);
    report.note("burst_per_second", plan.burst as f64 / seconds);
    report.note("burst_other_work_ms_before", median(idle));
    report.note("burst_other_work_ms", median(others));
    report.note("burst_memory_peak_mib", service.peak_memory() as f64);
    for service in [worker, service] {
        service.stop().await?;
    }
    Ok(())
}
