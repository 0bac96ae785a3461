//! A run: the fleet, the storm, the calm after it, the verdict.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use warren_chaos_checker::{Hub, Verdict, judge, read_ledger};
use warren_service::shutdown;

use crate::{
    clients::{Clients, Notes},
    fleet::{Fleet, Server, Servers, ledgers},
    progress::Progress,
    queues,
    report::{self, Report},
    storm::{
        faults::schedule,
        inject::{Fault, Injector},
        load::Load,
        takeover::Takeovers,
        watch::{Watch, connect},
    },
};

/// What the beginning, the calm after the storm and the verdict take of a run's time.
const REST: Duration = Duration::from_secs(120);
/// How long clients may take to be answered after the storm.
const ANSWERED: Duration = Duration::from_secs(120);
/// How long instances may take to end after that, and leftovers to go.
const CALM: Duration = Duration::from_secs(90);
/// How long an activity may go on after nobody waits for it any more: its worker hears so by its next heartbeat at the
/// latest, a third of a lease later.
const WORD: Duration = Duration::from_secs(10);
/// How often the calm is looked for, and the progress told.
const LOOK: Duration = Duration::from_secs(1);
const TELL: Duration = Duration::from_secs(10);

/// What a run is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) minutes: f64,
    pub(crate) instances: u32,
    pub(crate) faults: u32,
    pub(crate) in_flight: u64,
    pub(crate) keep: bool,
    pub(crate) repository: PathBuf,
    pub(crate) out: PathBuf,
}

/// What came of the storm.
pub(crate) struct Storm {
    pub(crate) faults: Vec<Fault>,
    pub(crate) takeovers: Takeovers,
    /// What ended by itself, and what the clients could not finish.
    pub(crate) strange: Vec<String>,
    pub(crate) notes: Notes,
}

/// Carries out a run; returns whether all is well.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<bool> {
    let local = plan.repository.join(".local/chaos");
    fs::create_dir_all(&local).with_context(|| format!("make {}", local.display()))?;
    let lock = File::create(local.join("lock")).context("make a lock file")?;
    if lock.try_lock().is_err() {
        bail!("another storm uses {}: wait for it", local.display());
    }
    let servers = Servers::new(&plan.repository, &local);
    let report = tokio::select! {
        report = storm_and_judge(plan, servers.clone(), &local) => report,
        () = shutdown::signal()? => Err(anyhow::anyhow!("interrupted")),
    };
    if plan.keep {
        eprintln!("servers are left running: WARREN_LOCAL={} deploy/local/postgres psql", local.display());
    } else {
        for server in [Server::Broker, Server::Database] {
            servers.run(server, &["stop"]).await?;
        }
    }
    report::tell(&report?, plan)
}

/// Judges again what the last run left, while its servers go on (`--keep`); returns whether all is well.
pub(crate) async fn judge_again(plan: &Plan) -> anyhow::Result<bool> {
    let local = plan.repository.join(".local/chaos");
    let (servers, folder) = (Servers::new(&plan.repository, &local), local.join("run"));
    let asked = fs::read(folder.join("asked.json")).context("read what was asked")?;
    let client = connect(&servers.run(Server::Database, &["url"]).await?).await?;
    let mut hub = Hub::read(&client).await?;
    hub.queues = queues::read(&servers).await?;
    let verdict = judge(&serde_json::from_slice(&asked)?, &hub, &read_ledger(&ledgers(&folder))?);
    report::verdict(&verdict)?;
    Ok(verdict.violations.is_empty())
}

async fn storm_and_judge(plan: &Plan, servers: Servers, local: &Path) -> anyhow::Result<Report> {
    let progress = Progress::new();
    let folder = local.join("run");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(ledgers(&folder))?;
    progress.say(&format!("seed {}: starting servers and fleet, logs in {}", plan.seed, folder.display()));
    let fleet = Arc::new(Fleet::start(servers, &folder).await?);
    let watch = Watch::default();
    // Ends with the runtime.
    tokio::spawn(watch.clone().run(fleet.store_url.clone()));
    watch.shared_by(1).await?;
    let clients = Clients::connect(&fleet).await?;
    progress.say("the fleet is ready, the storm begins");
    let mut storm = storm(plan, &fleet, &watch, clients, progress).await?;
    let hub = calm(&fleet, progress).await?;
    sleep(WORD).await;
    storm.strange.extend(fleet.stop().await?);
    progress.say("judging");
    let page = storm.notes.take();
    fs::write(folder.join("asked.json"), serde_json::to_vec(&page.asked)?).context("keep what was asked")?;
    let ledger = read_ledger(&ledgers(&folder)).context("read the ledgers")?;
    let verdict: Verdict = judge(&page.asked, &hub, &ledger);
    Ok(Report { verdict, storm, page, minutes: progress.minutes(), logs: folder })
}

/// Load and faults, until both are through.
async fn storm(
    plan: &Plan,
    fleet: &Arc<Fleet>,
    watch: &Watch,
    clients: Clients,
    progress: Progress,
) -> anyhow::Result<Storm> {
    let length = Duration::from_secs_f64(plan.minutes * 60.0).saturating_sub(REST);
    let (over, is_over) = watch::channel(false);
    let load =
        Load { run: format!("s{}", plan.seed), seed: plan.seed, instances: plan.instances, in_flight: plan.in_flight };
    let notes = clients.notes.clone();
    let load = load.run(clients, watch.clone(), is_over);
    let injector = Injector {
        fleet: fleet.clone(),
        watch: watch.clone(),
        progress,
        began: Instant::now(),
        servers: [Arc::default(), Arc::default()],
    };
    let strike = async {
        let faults = injector.run(schedule(plan.seed, plan.faults, length)).await;
        progress.say("the last fault is repaired");
        over.send_replace(true);
        faults
    };
    let mut strange = Vec::new();
    let both = async { tokio::join!(timeout(length + ANSWERED, load), strike) };
    let (answered, faults) = tokio::select! {
        both = both => both,
        failed = look_after(fleet, watch, &notes, &mut strange, progress) => return Err(failed),
    };
    if answered.is_err() {
        strange.push("clients were not answered by the end".into());
    }
    Ok(Storm { faults: faults?, takeovers: watch.takeovers(), strange, notes })
}

/// Starts again what ends by itself, and tells the progress. Never returns but with an error.
async fn look_after(
    fleet: &Fleet,
    watch: &Watch,
    notes: &Notes,
    strange: &mut Vec<String>,
    progress: Progress,
) -> anyhow::Error {
    let mut told = Instant::now();
    loop {
        sleep(LOOK).await;
        match fleet.revive() {
            Ok(ended) => {
                ended.iter().for_each(|ended| progress.say(ended));
                strange.extend(ended);
            }
            Err(error) => return error,
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            let owners = watch.owners().join(" ");
            progress.say(&format!(
                "{} asked for, {} under way, {} ended; owners: {owners}",
                notes.cases(),
                watch.under_way(),
                watch.ended()
            ));
        }
    }
}

/// Waits until everything has ended and nothing is left over, as long as that changes; returns what the hub holds then.
async fn calm(fleet: &Fleet, progress: Progress) -> anyhow::Result<Hub> {
    let until = Instant::now() + CALM;
    let mut told = String::new();
    loop {
        let client = connect(&fleet.store_url).await?;
        let mut hub = Hub::read(&client).await?;
        hub.queues = queues::read(&fleet.servers).await?;
        let open = unfinished(&hub);
        if open.is_empty() || Instant::now() > until {
            hub.queues = queues::sample(hub.queues, &fleet.broker_url).await;
            return Ok(hub);
        }
        let left = open.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
        if left != told {
            progress.say(&format!("waiting for {left}"));
            told = left;
        }
        sleep(LOOK).await;
    }
}

/// Counts what has not come to its end.
fn unfinished(hub: &Hub) -> BTreeMap<String, u64> {
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    for row in &hub.instances {
        if !matches!(row.status.as_str(), "Completed" | "Failed" | "Terminated") {
            *open.entry("instances".into()).or_default() += 1;
        }
    }
    for rest in &hub.rest {
        *open.entry(format!("rows of {}", rest.table)).or_default() += 1;
    }
    for queue in hub.queues.iter().filter(|queue| queue.messages > 0 && !queue.name.ends_with(".dead")) {
        open.insert(format!("messages in {}", queue.name), queue.messages);
    }
    open
}
