//! A fleet whose processes are counted together, however many there are.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::{Instant, sleep};

use super::{plan::Plan, sample::Sample};
use crate::{
    client,
    copy::Rows,
    fleet::{Places, Service},
    load::Load,
    meter::{Crew, Process},
    part::Part,
    servers::{self, Server},
    shape::{Shape, Work},
    speed::{CONCURRENCY, completed},
};

/// How long replicas may take to share the partitions.
const SHARED: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);
/// How many instances of one activity are under way at a time.
const INFLIGHT: usize = 1_000;

/// The services of one hub.
pub(super) struct Fleet {
    pub(super) name: String,
    pub(super) places: Places,
    pub(super) orchestrators: Vec<Service>,
    workers: Vec<Service>,
    broker_pid: u32,
    database_pid: u32,
}

impl Fleet {
    /// Starts an orchestrator-svc and an activity-worker on a hub of this name, with these settings besides the plan's.
    pub(super) async fn start(plan: &Plan, name: &str, settings: &[&str]) -> anyhow::Result<Self> {
        let all = settings.iter().copied().chain([CONCURRENCY]).map(ToOwned::to_owned);
        let places = Places {
            broker: plan.broker.clone(),
            store: plan.store.clone(),
            folder: plan.folder.clone(),
            settings: all.chain(plan.set.iter().cloned()).collect(),
        };
        let (broker_pid, database_pid) = (servers::pid(Server::Broker).await?, servers::pid(Server::Database).await?);
        let (orchestrators, workers) = (Vec::new(), Vec::new());
        let mut fleet =
            Self { name: format!("growth_{name}"), places, orchestrators, workers, broker_pid, database_pid };
        fleet.have(1, 1).await?;
        Ok(fleet)
    }

    /// Starts what is missing of so many processes, and waits until all replicas have their share of the partitions.
    pub(super) async fn have(&mut self, orchestrators: usize, workers: usize) -> anyhow::Result<()> {
        while self.orchestrators.len() < orchestrators {
            self.orchestrators.push(Service::start("orchestrator", &self.name, &self.places).await?.0);
        }
        while self.workers.len() < workers {
            self.workers.push(Service::start("worker", &self.name, &self.places).await?.0);
        }
        let (rows, until) = (self.rows().await?, Instant::now() + SHARED);
        while rows.owners().await? != self.orchestrators.len() as i64 {
            let folder = self.places.folder.display();
            ensure!(Instant::now() < until, "{orchestrators} replicas do not share the partitions: see {folder}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Stops orchestrator-svc and starts it again, so that it has nothing in memory.
    pub(super) async fn forget(&mut self) -> anyhow::Result<()> {
        for service in self.orchestrators.drain(..) {
            service.stop().await?;
        }
        self.have(1, 1).await
    }

    /// Returns a client of it.
    pub(super) async fn load(&self) -> anyhow::Result<Load> {
        Load::connect(&self.name, &self.places).await
    }

    /// Returns its rows, behind its back.
    pub(super) async fn rows(&self) -> anyhow::Result<Rows> {
        Rows::connect(&self.places.store, &self.name).await
    }

    fn crew(&self) -> Crew {
        let mut crew = Crew::default();
        crew.add("broker", Process::one(self.broker_pid));
        crew.add("database", Process::with_children(self.database_pid));
        self.orchestrators.iter().for_each(|service| crew.add("orchestrator", Process::one(service.pid())));
        self.workers.iter().for_each(|service| crew.add("worker", Process::one(service.pid())));
        crew
    }

    /// Returns what each of so many pieces of some work takes of the fleet.
    pub(super) async fn measure(
        &self,
        pieces: u32,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<Sample> {
        let crew = self.crew();
        let (begun, since) = (Instant::now(), crew.read()?);
        work.await?;
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Sample::per_piece(&crew.read()?.since(&since), seconds, pieces.into()))
    }

    /// Returns what each of so many instances of one activity takes of the fleet and of a client process, after others
    /// that warm everything.
    pub(super) async fn instances(&self, instances: u32) -> anyhow::Result<Sample> {
        let work = Work { shape: Shape::W1, instances, inflight: INFLIGHT };
        let mut part = Part::start("client", &client::arguments(&self.places, &self.name, work)).await?;
        let mut crew = self.crew();
        crew.add("client", Process::one(part.pid()));
        let since = crew.read()?;
        let figures = part.measure().await?;
        let taken = crew.read()?.since(&since);
        ensure!(figures.count == instances as usize, "{} of {instances} instances ended as they should", figures.count);
        Ok(Sample::per_piece(&taken, figures.seconds, instances.into()))
    }

    /// Fails unless everything that was started has completed and nothing was refused.
    pub(super) async fn check(&self) -> anyhow::Result<()> {
        completed(&self.places.store, &self.name).await?;
        servers::check_empty(&format!("{}.dead", self.name)).await
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        for service in self.workers.into_iter().chain(self.orchestrators) {
            service.stop().await?;
        }
        Ok(())
    }
}
