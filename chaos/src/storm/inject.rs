//! Carries out the faults, one task each, and writes down what was done to whom.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use serde::Serialize;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    faults::{Kind, Planned},
    watch::Watch,
};
use crate::{
    dice::Dice,
    fleet::{Fleet, Process, Role, Server, Signal},
    progress::Progress,
};

/// How long a frozen orchestrator-svc stays frozen: longer than its lease of 4 s.
const FREEZE_MS: (u32, u32) = (5_500, 9_000);
/// How long a frozen worker does.
const FREEZE_WORKER_MS: (u32, u32) = (2_000, 8_000);
/// How long a killed process stays away.
const AWAY_MS: (u32, u32) = (500, 3_000);
/// How long a fault of an orchestrator waits for a fleet that has recovered.
const SETTLED: Duration = Duration::from_secs(20);
/// How many in a hundred faults of orchestrators wait until every partition has an owner.
const SETTLED_PERCENT: u32 = 75;
/// How long after a thaw a partition may still be taken over; after that its owner has kept it.
const TAKEN: Duration = Duration::from_secs(2);
/// How long an orchestrator-svc may take to drain.
const DRAIN: Duration = Duration::from_secs(20);
/// How long somebody waits for a process that nobody is busy with.
const FREE: Duration = Duration::from_secs(20);

/// A fault that was carried out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fault {
    /// Its number.
    pub(crate) number: usize,
    /// What it was.
    pub(crate) kind: Kind,
    /// Whom it struck, and how.
    pub(crate) target: String,
    /// When, in seconds from the beginning of the storm.
    pub(crate) at_s: f64,
    /// The seed of its details.
    pub(crate) seed: u64,
    /// How many instances were under way at that moment, children aside.
    pub(crate) in_flight: u64,
    /// How long it lasted until whatever was struck was started again.
    pub(crate) lasted_s: f64,
}

/// Who carries out faults.
pub(crate) struct Injector {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) watch: Watch,
    pub(crate) progress: Progress,
    pub(crate) began: Instant,
    pub(crate) servers: [Arc<Mutex<()>>; 2],
}

impl Injector {
    /// Carries out all that is planned; returns what was done once the last has been repaired.
    pub(crate) async fn run(self, planned: Vec<Planned>) -> anyhow::Result<Vec<Fault>> {
        let (injector, mut under_way) = (Arc::new(self), JoinSet::new());
        for (number, planned) in planned.into_iter().enumerate() {
            sleep_until(injector.began + planned.at).await;
            let injector = injector.clone();
            under_way.spawn(async move { injector.strike(number, planned).await });
        }
        let mut faults = Vec::new();
        while let Some(fault) = under_way.join_next().await {
            faults.push(fault??);
        }
        faults.sort_by_key(|fault| fault.number);
        Ok(faults)
    }

    async fn strike(&self, number: usize, planned: Planned) -> anyhow::Result<Fault> {
        let Planned { kind, seed, nth, .. } = planned;
        let mut dice = Dice::new(seed, "details");
        let strike = match kind {
            Kind::KillOrchestrator => self.kill(number, Role::Orchestrator, &mut dice).await,
            Kind::KillWorker => self.kill(number, Role::Worker, &mut dice).await,
            Kind::KillApi => self.kill(number, Role::Api, &mut dice).await,
            Kind::FreezeOrchestrator => self.freeze(number, Role::Orchestrator, FREEZE_MS, &mut dice).await,
            Kind::FreezeWorker => self.freeze(number, Role::Worker, FREEZE_WORKER_MS, &mut dice).await,
            Kind::BrokerRestart => self.restart(Server::Broker, nth % 2 == 1, &mut dice).await,
            Kind::DatabaseRestart => self.restart(Server::Database, nth % 2 == 0, &mut dice).await,
            Kind::RollingRestart => self.roll(number, &mut dice).await,
        };
        let struck = strike.with_context(|| format!("fault {number}, {kind:?}"))?;
        let at_s = struck.at.duration_since(self.began).as_secs_f64();
        let lasted_s = struck.at.elapsed().as_secs_f64();
        let fault = Fault { number, kind, target: struck.target, at_s, seed, in_flight: struck.in_flight, lasted_s };
        self.progress.say(&format!(
            "fault {number:>2} {} of {} with {} in flight, repaired after {lasted_s:.1} s",
            kind.name(),
            fault.target,
            fault.in_flight
        ));
        Ok(fault)
    }

    async fn kill(&self, number: usize, role: Role, dice: &mut Dice) -> anyhow::Result<Struck> {
        let mut process = self.take(role, dice).await?;
        let struck = self.now(process.name());
        self.watch.strike(number, process.name(), false);
        process.kill()?;
        sleep(between(AWAY_MS, dice)).await;
        process.start()?;
        Ok(struck)
    }

    async fn freeze(&self, number: usize, role: Role, ms: (u32, u32), dice: &mut Dice) -> anyhow::Result<Struck> {
        let process = self.take(role, dice).await?;
        let struck = self.now(process.name());
        self.watch.strike(number, process.name(), false);
        process.signal(Signal::Freeze)?;
        sleep(between(ms, dice)).await;
        process.signal(Signal::Thaw)?;
        sleep(TAKEN).await;
        self.watch.survived(number);
        Ok(struck)
    }

    async fn roll(&self, number: usize, dice: &mut Dice) -> anyhow::Result<Struck> {
        let mut process = self.take(Role::Orchestrator, dice).await?;
        let mut struck = self.now(process.name());
        self.watch.strike(number, process.name(), true);
        if !process.stop(DRAIN).await? {
            struck.target += " (did not drain)";
        }
        process.start()?;
        Ok(struck)
    }

    async fn restart(&self, server: Server, is_crash: bool, dice: &mut Dice) -> anyhow::Result<Struck> {
        let lock = match server {
            Server::Broker => &self.servers[0],
            Server::Database => &self.servers[1],
        };
        let _alone = lock.lock().await;
        let (how, command) = if is_crash { ("crash", "kill") } else { ("stop", "stop") };
        let struck = self.now(&format!("{server:?} ({how})"));
        self.watch.outage();
        self.watch.outages(1);
        let restarted = async {
            self.fleet.servers.run(server, &[command]).await?;
            sleep(Duration::from_millis(dice.between(0, 1_500).into())).await;
            self.fleet.servers.run(server, &["ensure"]).await
        };
        let restarted = restarted.await;
        self.watch.outages(-1);
        restarted?;
        Ok(struck)
    }

    /// Takes a process that nobody is busy with: of orchestrators mostly one that owns something, in a fleet that has
    /// recovered from the fault before; else most of them would strike replicas that own nothing for want of a broker.
    async fn take(&self, role: Role, dice: &mut Dice) -> anyhow::Result<OwnedMutexGuard<Process>> {
        if role == Role::Orchestrator && dice.percent(SETTLED_PERCENT) {
            let until = Instant::now() + SETTLED;
            while Instant::now() < until && !self.watch.is_settled() {
                sleep(Duration::from_millis(50)).await;
            }
        }
        let until = Instant::now() + FREE;
        let mut names = self.fleet.names(role);
        dice.shuffle(&mut names);
        if role == Role::Orchestrator && dice.percent(85) {
            let mut owners = self.watch.owners();
            dice.shuffle(&mut owners);
            names.splice(0..0, owners);
        }
        while Instant::now() < until {
            if let Some(process) = self.fleet.take(role, &names) {
                return Ok(process);
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("every {role:?} is busy")
    }

    fn now(&self, target: &str) -> Struck {
        Struck { target: target.to_owned(), at: Instant::now(), in_flight: self.watch.under_way() }
    }
}

/// The moment of a fault.
struct Struck {
    target: String,
    at: Instant,
    in_flight: u64,
}

fn between((from, to): (u32, u32), dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.between(from, to).into())
}
