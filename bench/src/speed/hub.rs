//! The fleet that is measured, with its hub.

use anyhow::{bail, ensure};
use tokio::task::spawn_blocking;
use warren_model::Status;
use warren_store::{Queries, postgres::PostgresReader, sqlite::SqliteReader};

use super::{
    contender::Contender,
    outcome::Setting,
    plan::{Plan, Row},
};
use crate::{
    client::{self, Way},
    fleet::{Places, Service},
    servers::{self, Server},
    shape::Work,
};

/// How many activities a worker runs at a time, and so how many work items it is handed: as many as the limit's.
pub(crate) const CONCURRENCY: &str = "worker.concurrency=1000";

/// The limit's worker has one thread too, as has each of our processes: they share two processors.
const THREADS: &str = "worker.threads=1";

/// Lets all work items share messages.
const PACKED: &str = "orchestrator.packed_queues=*";

/// A hub with its services.
pub(crate) struct Hub {
    pub(crate) name: String,
    pub(crate) row: Row,
    pub(crate) places: Places,
    pub(crate) orchestrator: Service,
    pub(crate) worker: Service,
    /// Where starts come over HTTP.
    pub(crate) api: Option<Service>,
    pub(crate) broker_pid: u32,
    pub(crate) database_pid: u32,
}

impl Hub {
    /// Starts the fleet of a row for a contender, on a hub of its own.
    pub(crate) async fn start(plan: &Plan, row: Row, contender: Contender) -> anyhow::Result<Self> {
        let is_packed = contender == Contender::Packed;
        let name = format!("bench_{}{}", row.name(), if is_packed { "_packed" } else { "" });
        let store = match row {
            Row::Postgres | Row::Four | Row::Classic | Row::Ingress | Row::Http => plan.store.clone(),
            Row::Sqlite => {
                let file = plan.folder.join(format!("{name}.db"));
                for suffix in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
                }
                format!("sqlite:{}", file.display())
            }
        };
        let mut settings = vec![
            format!("broker.queue_type={}", row.queues().name()),
            format!("hub.partitions={}", row.partitions()),
            CONCURRENCY.to_owned(),
            THREADS.to_owned(),
        ];
        settings.extend(is_packed.then(|| PACKED.to_owned()));
        settings.extend(plan.set.iter().cloned());
        let places = Places { broker: plan.broker.clone(), store, folder: plan.folder.clone(), settings };
        let (orchestrator, _) = Service::start("orchestrator", &name, &places).await?;
        let (worker, _) = Service::start("worker", &name, &places).await?;
        let api = match row.way() {
            Way::Http => Some(Service::start("api", &name, &places).await?.0),
            Way::Control | Way::Ingress => None,
        };
        let (broker_pid, database_pid) = (servers::pid(Server::Broker).await?, servers::pid(Server::Database).await?);
        Ok(Self { name, row, places, orchestrator, worker, api, broker_pid, database_pid })
    }

    /// Returns the arguments of a client of it.
    pub(crate) fn client(&self, work: Work, contender: Contender) -> Vec<String> {
        let way = ["--way".to_owned(), self.row.way().name().to_owned()];
        let api = self.api.iter().flat_map(|api| ["--api".to_owned(), api.url()]);
        let packs = (contender == Contender::Packed).then(|| "--packs".to_owned());
        client::arguments(&self.places, &self.name, work).into_iter().chain(way).chain(api).chain(packs).collect()
    }

    /// Fails unless everything that was started has completed, nothing is in the dead queue, and queues and publishers
    /// are what they are said to be; returns what was seen.
    pub(crate) async fn check(&self) -> anyhow::Result<Setting> {
        let completed = completed(&self.places.store, &self.name).await?;
        let queues = servers::check_queues(&format!("{}.", self.name), self.row.queues()).await?;
        servers::check_empty(&format!("{}.dead", self.name)).await?;
        let kind = self.row.queues().name();
        let seen = format!("{queues} durable {kind} queues; {completed} instances, all completed");
        Ok(Setting::new(&format!("hub {}", self.name), seen))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        if let Some(api) = self.api {
            api.stop().await?;
        }
        self.worker.stop().await?;
        self.orchestrator.stop().await
    }
}

/// Fails unless every instance of a hub has completed; returns how many there are.
pub(crate) async fn completed(store: &str, hub: &str) -> anyhow::Result<u64> {
    let counts = match store.strip_prefix("sqlite:") {
        Some(file) => {
            let (file, hub) = (file.to_owned(), hub.to_owned());
            spawn_blocking(move || SqliteReader::open(file.as_ref(), &hub)).await??.counts().await?
        }
        None => PostgresReader::open(store, hub).await?.counts().await?,
    };
    let mut completed = 0;
    for (status, count) in counts {
        if status == Status::Completed {
            completed = count;
        } else if count > 0 {
            bail!("{count} instances of hub {hub} are {status:?}, and all should have completed");
        }
    }
    ensure!(completed > 0, "no instance of hub {hub} has completed");
    Ok(completed)
}
