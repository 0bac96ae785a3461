//! A rolling restart under load: how long instances take before it and during it.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use warren_broker::{
    Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_client::{Client, Options};
use warren_model::Payload;
use warren_service::shutdown;
use warren_store::postgres::PostgresReader;

use crate::{
    fleet::{Fleet, HUB, Role, Server, Servers, ledgers},
    progress::Progress,
    storm::watch::Watch,
    workload::contract::{CHAIN, Job, takes_ms, value},
};

/// No instance may take longer than the median before the restart by more than this.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long a process may take to stop, and how long the fleet to be balanced again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the fleet is left alone between two restarts.
const PAUSE: Duration = Duration::from_secs(3);
/// How long the load goes on before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long one instance may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A rolling restart of every orchestrator-svc under load, measured.
#[derive(Args, Debug)]
pub(crate) struct Rolling {
    /// How many instances are started a second, whatever becomes of those before
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    rate: u32,

    /// How long to measure before the restart
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    before: u64,

    /// The repository, for deploy/local and .local/rolling
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    repository: std::path::PathBuf,

    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = "target/rolling.json")]
    out: std::path::PathBuf,
}

/// When an instance was started, and how long it took.
#[derive(Clone, Copy, Debug)]
struct Sample {
    started: Instant,
    took: Duration,
}

/// Measures; returns whether no instance was delayed by more than it may.
pub(crate) async fn run(rolling: &Rolling) -> anyhow::Result<bool> {
    let repository = rolling.repository.canonicalize()?;
    let local = repository.join(".local/rolling");
    fs::create_dir_all(&local).with_context(|| format!("make {}", local.display()))?;
    let lock = File::create(local.join("lock")).context("make a lock file")?;
    if lock.try_lock().is_err() {
        bail!("another measurement uses {}: wait for it", local.display());
    }
    let servers = Servers::new(&repository, &local);
    let measured = tokio::select! {
        measured = measure(rolling, servers.clone(), &local) => measured,
        () = shutdown::signal()? => Err(anyhow::anyhow!("interrupted")),
    };
    for server in [Server::Broker, Server::Database] {
        servers.run(server, &["stop"]).await?;
    }
    tell(&measured?, rolling)
}

/// What was measured.
struct Measured {
    before: Vec<Duration>,
    during: Vec<Duration>,
}

async fn measure(rolling: &Rolling, servers: Servers, local: &Path) -> anyhow::Result<Measured> {
    let progress = Progress::new();
    let folder = local.join("run");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(ledgers(&folder))?;
    progress.say(&format!("starting servers and fleet, logs in {}", folder.display()));
    let fleet = Fleet::start(servers, &folder).await?;
    let watch = Watch::default();
    // Ends with the runtime.
    tokio::spawn(watch.clone().run(fleet.store_url.clone()));
    balanced(&fleet, &watch).await?;
    let topology = Topology::new(HUB)?;
    let broker = Amqp::connect_lazily(AmqpConfig::new(fleet.broker_url.as_str(), "rolling", topology.clone()))?;
    let store = PostgresReader::open(&fleet.store_url, HUB).await?;
    let client = Client::connect(broker, store, topology, Options::default())?;
    progress.say(&format!("{} instances a second from now on", rolling.rate));
    let (over, is_over) = tokio::sync::watch::channel(false);
    let load = tokio::spawn(load(client, rolling.rate, is_over));
    sleep(WARM_UP + Duration::from_secs(rolling.before)).await;
    let restart = Instant::now();
    for name in fleet.names(Role::Orchestrator) {
        let mut process = fleet.take(Role::Orchestrator, std::slice::from_ref(&name)).context("a process is busy")?;
        let since = Instant::now();
        if !process.stop(PATIENCE).await? {
            bail!("{name} did not stop by itself, or not well: see its log in {}", folder.display());
        }
        let stopped = since.elapsed();
        given_back(&watch, &name).await?;
        process.start()?;
        drop(process);
        balanced(&fleet, &watch).await?;
        let (stopped, balanced) = (stopped.as_millis(), since.elapsed().as_millis());
        progress.say(&format!("{name} stopped in {stopped} ms, balanced again after {balanced} ms"));
        sleep(PAUSE).await;
    }
    over.send_replace(true);
    let samples = load.await??;
    fleet.stop().await?;
    let begun = samples.iter().map(|sample| sample.started).min().context("nothing was measured")? + WARM_UP;
    let took = |of: &dyn Fn(&Sample) -> bool| {
        let mut took: Vec<Duration> = samples.iter().filter(|sample| of(sample)).map(|sample| sample.took).collect();
        took.sort_unstable();
        took
    };
    // What was under way when the restart began is in neither: it belongs to both.
    let before = took(&|sample| sample.started >= begun && sample.started + sample.took < restart);
    let during = took(&|sample| sample.started + sample.took >= restart);
    Ok(Measured { before, during })
}

/// Waits until a process that has stopped is seen to own nothing any more.
async fn given_back(watch: &Watch, name: &String) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    while watch.owners().contains(name) {
        if Instant::now() > until {
            bail!("{name} has stopped and owns partitions still");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Waits until every orchestrator-svc owns partitions.
async fn balanced(fleet: &Fleet, watch: &Watch) -> anyhow::Result<()> {
    let (wanted, until) = (fleet.names(Role::Orchestrator).len(), Instant::now() + PATIENCE);
    while !watch.is_owned() || watch.owners().len() < wanted {
        if Instant::now() > until {
            bail!("partitions are not shared by all within {} s: {:?}", PATIENCE.as_secs(), watch.owners());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Starts instances at a steady rate, however long those before take; returns how long each took.
async fn load(
    client: Client<PostgresReader>,
    rate: u32,
    is_over: tokio::sync::watch::Receiver<bool>,
) -> anyhow::Result<Vec<Sample>> {
    let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    for number in 0_u32.. {
        let started = ticks.tick().await;
        if *is_over.borrow() {
            break;
        }
        let (client, input) = (client.clone(), Payload::of(&job(number))?);
        running.spawn(async move {
            client.start(CHAIN.name(), input).within(WITHIN).send_and_wait(WITHIN).await?;
            anyhow::Ok(Sample { started, took: started.elapsed() })
        });
    }
    running.join_all().await.into_iter().collect()
}

/// A chain of two steps of the same length in each instance, with a pause between them.
fn job(number: u32) -> Job {
    let is_short = |seed: &u32| takes_ms(*seed, 0) == 20 && takes_ms(value(*seed, 0), 1) == 20;
    let seed = (number.wrapping_mul(1_000)..).find(is_short).unwrap_or_default();
    Job {
        case: format!("rolling-{number}"),
        seed,
        size: 2,
        pause_ms: 50,
        so_far: Default::default(),
        ballast: String::new(),
    }
}

/// Prints the distribution and writes it; returns whether all is well.
fn tell(measured: &Measured, rolling: &Rolling) -> anyhow::Result<bool> {
    let Measured { before, during } = measured;
    let normal = at(before, 50);
    let late = during.iter().filter(|took| **took > normal + DELAY_MAX).count();
    let spread = |took: &[Duration]| {
        let ms = |part| u64::try_from(at(took, part).as_millis()).unwrap_or(u64::MAX);
        json!({"instances": took.len(), "p50_ms": ms(50), "p90_ms": ms(90), "p99_ms": ms(99), "max_ms": ms(100)})
    };
    let (before, during) = (spread(before), spread(during));
    let figures = json!({
        "rate": rolling.rate, "before": before, "during": during, "delayed_by_more_than_a_second": late,
    });
    if let Some(folder) = rolling.out.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(&rolling.out, format!("{figures:#}\n")).with_context(|| format!("write {}", rolling.out.display()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "before the restart: {before}")?;
    writeln!(out, "during the restart: {during}")?;
    writeln!(out, "delayed by more than a second: {late}")?;
    writeln!(out, "figures: {}", rolling.out.display())?;
    Ok(late == 0)
}

/// Returns the value below which so many of a hundred are, of sorted ones.
fn at(took: &[Duration], percent: usize) -> Duration {
    let last = took.len().saturating_sub(1);
    took.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
}
