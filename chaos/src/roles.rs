//! The services of the fleet: as users build theirs, from the services' libraries and functions of their own.

use std::{
    io::{self, Read},
    path::PathBuf,
    process,
};

use clap::Args;
use warren::Registry;
use warren_service::{Settings, cli::ServiceArgs, shutdown};

use crate::workload::{self, Ledger};

/// The exit code of a service whose storm is gone.
const ORPHANED: i32 = 75;

/// One service of the fleet.
#[derive(Args, Debug)]
pub(crate) struct ServiceRole {
    /// Ends with whoever started it, which holds the other end of its standard input
    #[arg(long)]
    leashed: bool,

    #[command(flatten)]
    service: ServiceArgs,
}

/// A worker.
#[derive(Args, Debug)]
pub(crate) struct WorkerRole {
    /// Folder for what its activities write down
    #[arg(long, value_name = "FOLDER")]
    ledger: PathBuf,

    #[command(flatten)]
    role: ServiceRole,
}

impl ServiceRole {
    fn begin(&self, name: &'static str) -> anyhow::Result<Option<Settings>> {
        if self.leashed {
            std::thread::Builder::new().name("leash".into()).spawn(end_with_parent)?;
        }
        Ok(self.service.begin(name, Vec::new())?)
    }
}

/// Runs an orchestrator-svc with the storm's orchestrators.
pub(crate) async fn orchestrator(role: &ServiceRole) -> anyhow::Result<()> {
    let Some(settings) = role.begin("orchestrator-svc")? else { return Ok(()) };
    orchestrator_svc::run(&settings, workload::orchestrators(), shutdown::signal()?).await
}

/// Runs an activity-worker with the storm's activities.
pub(crate) async fn worker(role: &WorkerRole) -> anyhow::Result<()> {
    let Some(settings) = role.role.begin("activity-worker")? else { return Ok(()) };
    let ledger = Ledger::open(&role.ledger, &settings.worker.name)?;
    let registry = workload::activities(Registry::new(), ledger);
    Ok(activity_worker::run(&settings, registry, shutdown::signal()?).await?)
}

/// Runs a client-api.
pub(crate) async fn api(role: &ServiceRole) -> anyhow::Result<()> {
    let Some(settings) = role.begin("client-api")? else { return Ok(()) };
    client_api::run(&settings, shutdown::signal()?).await
}

/// Nothing is ever written there: its end is the end of the parent, however that came.
fn end_with_parent() {
    let mut nothing = [0];
    while matches!(io::stdin().read(&mut nothing), Ok(1..)) {}
    process::exit(ORPHANED);
}
