//! How a fleet shares work that waits for something else than a processor: over more workers, and between tenants.

use std::{fs, io::Write, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use warren_model::Payload;

use crate::{
    fleet::{Places, Service},
    load::Load,
    report,
    statistics::percentile,
    workload::{NAP_MS, NAPS, Naps},
};

/// How many activities a worker runs at a time.
const SLOTS: u32 = 8;
/// How many workers there are.
const WORKERS: [u32; 4] = [1, 2, 4, 8];
/// How often each slot is filled in a measurement.
const ROUNDS: u32 = 60;
/// Over how many queues tenants are spread.
const LANES: u32 = 16;
/// How many calls of the quiet tenant are timed.
const CALLS: usize = 200;
/// How many activities the other one has waiting.
const FLOOD: u32 = 20_000;
/// How long the flood is left alone before anything is measured.
const FLOODED: Duration = Duration::from_secs(5);
/// A worker more is worth at least so much of one.
const SHARE_MIN: f64 = 0.9;
/// Beside a flood the quiet tenant may take so many times as long, of a hundred calls the slowest but one.
const DELAY_MAX: f64 = 2.0;

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    broker: String,

    /// A PostgreSQL database without hubs
    #[arg(long, value_name = "URL")]
    store: String,

    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = "target/bench-share.json")]
    output: PathBuf,

    /// Where logs go
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    folder: PathBuf,
}

/// Measures; returns whether both are as they should.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<bool> {
    let (rates, is_linear) = workers(plan).await?;
    let (delays, is_fair) = tenants(plan).await?;
    let figures = json!({"nap_ms": NAP_MS, "slots": SLOTS, "workers": rates, "tenants": delays});
    if let Some(folder) = plan.output.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    report::write(&plan.output, &figures)?;
    say(&format!("\nfigures: {}", plan.output.display()))?;
    Ok(is_linear && is_fair)
}

fn places(plan: &Plan, settings: &[String]) -> Places {
    let (broker, store, folder) = (plan.broker.clone(), plan.store.clone(), plan.folder.clone());
    let slots = format!("worker.concurrency={SLOTS}");
    Places { broker, store, folder, settings: settings.iter().cloned().chain([slots]).collect() }
}

async fn workers(plan: &Plan) -> anyhow::Result<(Value, bool)> {
    let (hub, places) = ("share_workers", places(plan, &[]));
    let (orchestrator, _) = Service::start("orchestrator", hub, &places).await?;
    let (mut workers, mut rates) = (Vec::new(), Vec::new());
    say(&format!(
        "activities of {NAP_MS} ms, {SLOTS} at a time in each worker\n\n workers  a second  of what their slots allow"
    ))?;
    for count in WORKERS {
        while workers.len() < count as usize {
            workers.push(Service::start("worker", hub, &places).await?.0);
        }
        let load = Load::connect(hub, &places).await?;
        naps(&load, "warm", count * SLOTS).await?;
        let (begun, times) = (Instant::now(), count * SLOTS * ROUNDS);
        naps(&load, "", times).await?;
        let rate = f64::from(times) / begun.elapsed().as_secs_f64();
        let share = rate / (f64::from(count * SLOTS) * 1_000.0 / f64::from(NAP_MS));
        say(&format!("{count:>8}  {rate:>8.0}  {share:>24.2}"))?;
        rates.push(json!({"workers": count, "a_second": rate, "of_what_slots_allow": share}));
    }
    stop(workers.into_iter().chain([orchestrator])).await?;
    let share = |at: usize| rates.get(at).and_then(|rate| rate["a_second"].as_f64()).unwrap_or_default();
    let last = WORKERS.len() - 1;
    let is_linear = share(last) >= SHARE_MIN * share(0) * f64::from(WORKERS[last]);
    Ok((Value::Array(rates), is_linear))
}

async fn tenants(plan: &Plan) -> anyhow::Result<(Value, bool)> {
    let (hub, places) = ("share_tenants", places(plan, &[format!("queues.bench_nap.lanes={LANES}")]));
    let (orchestrator, _) = Service::start("orchestrator", hub, &places).await?;
    let (worker, _) = Service::start("worker", hub, &places).await?;
    let load = Load::connect(hub, &places).await?;
    naps(&load, "quiet", 1).await?;
    let alone = calls(&load).await?;
    let flood = load.start(NAPS.name(), Payload::of(&Naps { tenant: "flood".into(), times: FLOOD })?).await?;
    sleep(FLOODED).await;
    let beside = calls(&load).await?;
    load.terminate(&flood).await?;
    stop([worker, orchestrator]).await?;
    let shown = |took: &[f64]| json!({"p50_ms": percentile(took, 0.5), "p99_ms": percentile(took, 0.99)});
    let ratio = percentile(&beside, 0.99) / percentile(&alone, 0.99);
    say("\n a quiet tenant's call    p50 ms    p99 ms")?;
    for (name, took) in [("alone", &alone), ("beside a flood", &beside)] {
        say(&format!(" {name:<22}  {:>8.1}  {:>8.1}", percentile(took, 0.5), percentile(took, 0.99)))?;
    }
    say(&format!(" p99 beside a flood: {ratio:.2} times that alone"))?;
    let figures = json!({"alone": shown(&alone), "beside_a_flood": shown(&beside), "p99_ratio": ratio});
    Ok((figures, ratio <= DELAY_MAX))
}

/// Runs one instance that calls so many activities at once.
async fn naps(load: &Load, tenant: &str, times: u32) -> anyhow::Result<()> {
    let input = Payload::of(&Naps { tenant: tenant.into(), times })?;
    load.run(NAPS.name(), input, &Payload::of(&times)?).await?;
    Ok(())
}

/// Returns how long each of the quiet tenant's calls takes, one after the other, in milliseconds, sorted.
async fn calls(load: &Load) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        naps(load, "quiet", 1).await?;
        took.push(Duration::as_secs_f64(&begun.elapsed()) * 1_000.0);
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok(took)
}

async fn stop(services: impl IntoIterator<Item = Service>) -> anyhow::Result<()> {
    for service in services {
        service.stop().await?;
    }
    Ok(())
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("print")
}
