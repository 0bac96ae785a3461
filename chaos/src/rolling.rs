//! A rolling restart under load, of every orchestrator-svc and then of every worker: how long instances take before it and
//! during it, and whether an attempt of an activity failed or was made twice.

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
use warren_chaos_checker::{Entry, What, read_ledger};
use warren_client::{Client, Options};
use warren_model::{Payload, Status};
use warren_service::shutdown;
use warren_store::postgres::PostgresReader;

use crate::{
    fleet::{Fleet, HUB, Process, Role, Server, Servers, ledgers},
    progress::Progress,
    storm::watch::Watch,
    workload::contract::{CHAIN, Job, takes_ms, value},
};

/// No instance may take longer than the median before the restart by more than this.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long a process may take to stop, and to be seen to own nothing any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the fleet is left alone between two restarts.
const PAUSE: Duration = Duration::from_secs(3);
/// How long the load goes on before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);
/// How many activities an instance calls.
const STEPS: u32 = 2;
/// How long one instance may take.
const WITHIN: Duration = Duration::from_secs(60);

/// A rolling restart of every orchestrator-svc and every worker under load, measured.
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
    /// While orchestrator-svc was restarted.
    owners: Vec<Duration>,
    /// While the workers were.
    workers: Vec<Duration>,
    attempts: Attempts,
}

/// What the activities did, by what they wrote down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Attempts {
    begun: usize,
    returned: usize,
    failed: usize,
}

impl Attempts {
    fn of(entries: &[Entry]) -> Self {
        let count = |what| entries.iter().filter(|entry| entry.what == what).count();
        Self { begun: count(What::Began), returned: count(What::Returned), failed: count(What::Failed) }
    }

    /// Returns whether each was begun once and came to its end.
    fn are_clean(self, instances: usize) -> bool {
        let expected = instances.saturating_mul(usize::try_from(STEPS).unwrap_or(usize::MAX));
        self == Self { begun: expected, returned: expected, failed: 0 }
    }
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
        stop(&mut process, &folder).await?;
        let stopped = since.elapsed();
        given_back(&watch, &name).await?;
        process.start()?;
        drop(process);
        balanced(&fleet, &watch).await?;
        let (stopped, balanced) = (stopped.as_millis(), since.elapsed().as_millis());
        progress.say(&format!("{name} stopped in {stopped} ms, balanced again after {balanced} ms"));
        sleep(PAUSE).await;
    }
    let next = Instant::now();
    for name in fleet.names(Role::Worker) {
        let mut process = fleet.take(Role::Worker, std::slice::from_ref(&name)).context("a process is busy")?;
        let since = Instant::now();
        stop(&mut process, &folder).await?;
        process.start()?;
        progress.say(&format!("{name} stopped in {} ms", since.elapsed().as_millis()));
        drop(process);
        sleep(PAUSE).await;
    }
    over.send_replace(true);
    let samples = load.await??;
    fleet.stop().await?;
    let attempts = Attempts::of(&read_ledger(&ledgers(&folder))?);
    let begun = samples.iter().map(|sample| sample.started).min().context("nothing was measured")? + WARM_UP;
    let took = |of: &dyn Fn(&Sample) -> bool| {
        let mut took: Vec<Duration> = samples.iter().filter(|sample| of(sample)).map(|sample| sample.took).collect();
        took.sort_unstable();
        took
    };
    // What was under way when the restart began is in neither: it belongs to both.
    let before = took(&|sample| sample.started >= begun && sample.started + sample.took < restart);
    let owners = took(&|sample| sample.started + sample.took >= restart && sample.started < next);
    let workers = took(&|sample| sample.started >= next);
    if !attempts.are_clean(samples.len()) {
        bail!("attempts failed or were made again: {attempts:?} of {} instances of {STEPS} steps", samples.len());
    }
    Ok(Measured { before, owners, workers, attempts })
}

/// Asks a process to stop, and waits until it has, well.
async fn stop(process: &mut Process, folder: &Path) -> anyhow::Result<()> {
    if !process.stop(PATIENCE).await? {
        let (name, folder) = (process.name(), folder.display());
        bail!("{name} did not stop by itself, or not well: see its log in {folder}");
    }
    Ok(())
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
    watch.shared_by(fleet.names(Role::Orchestrator).len()).await
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
            let (answer, ended) = client.start(CHAIN.name(), input).within(WITHIN).send_and_wait(WITHIN).await?;
            let status = ended.map(|ended| ended.status);
            if status != Some(Status::Completed) {
                bail!("instance {} is {status:?}", answer.instance);
            }
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
        size: STEPS,
        pause_ms: 50,
        so_far: Default::default(),
        ballast: String::new(),
    }
}

/// Prints the distribution and writes it; returns whether all is well.
fn tell(measured: &Measured, rolling: &Rolling) -> anyhow::Result<bool> {
    let Measured { before, owners, workers, attempts } = measured;
    let normal = at(before, 50);
    let late = owners.iter().chain(workers).filter(|took| **took > normal + DELAY_MAX).count();
    let spread = |took: &[Duration]| {
        let ms = |part| u64::try_from(at(took, part).as_millis()).unwrap_or(u64::MAX);
        json!({"instances": took.len(), "p50_ms": ms(50), "p90_ms": ms(90), "p99_ms": ms(99), "max_ms": ms(100)})
    };
    let (before, owners, workers) = (spread(before), spread(owners), spread(workers));
    let figures = json!({
        "rate": rolling.rate, "before": before, "restart_of_owners": owners, "restart_of_workers": workers,
        "delayed_by_more_than_a_second": late,
        "attempts": {"begun": attempts.begun, "returned": attempts.returned, "failed": attempts.failed},
    });
    if let Some(folder) = rolling.out.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(&rolling.out, format!("{figures:#}\n")).with_context(|| format!("write {}", rolling.out.display()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "before the restart: {before}")?;
    writeln!(out, "while orchestrator-svc is restarted: {owners}")?;
    writeln!(out, "while workers are restarted: {workers}")?;
    writeln!(out, "attempts begun {}, returned {}, failed {}", attempts.begun, attempts.returned, attempts.failed)?;
    writeln!(out, "delayed by more than a second: {late}")?;
    writeln!(out, "figures: {}", rolling.out.display())?;
    Ok(late == 0)
}

/// Returns the value below which so many of a hundred are, of sorted ones.
fn at(took: &[Duration], percent: usize) -> Duration {
    let last = took.len().saturating_sub(1);
    took.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
}
