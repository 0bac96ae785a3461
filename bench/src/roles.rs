//! The services of the fleet, with the functions of this program: as users build theirs.

use std::{
    io::{self, Read},
    process, thread,
};

use warren_service::{cli::ServiceArgs, shutdown};

use crate::workload;

/// The exit code of a service whose parent is gone.
const ORPHANED: i32 = 75;

/// Runs an orchestrator-svc.
pub(crate) async fn orchestrator(args: &ServiceArgs) -> anyhow::Result<()> {
    thread::spawn(end_with_parent);
    let Some(settings) = args.begin("orchestrator-svc", Vec::new())? else { return Ok(()) };
    orchestrator_svc::run(&settings, workload::registry(), shutdown::signal()?).await
}

/// Runs an activity-worker, on a runtime of its own.
pub(crate) fn worker(args: &ServiceArgs) -> anyhow::Result<()> {
    thread::spawn(end_with_parent);
    let Some(settings) = args.begin("activity-worker", Vec::new())? else { return Ok(()) };
    let run = async { activity_worker::run(&settings, workload::registry(), shutdown::signal()?).await };
    Ok(activity_worker::runtime(&settings)?.block_on(run)?)
}

/// Runs a client-api.
pub(crate) async fn api(args: &ServiceArgs) -> anyhow::Result<()> {
    thread::spawn(end_with_parent);
    let Some(settings) = args.begin("client-api", Vec::new())? else { return Ok(()) };
    client_api::run(&settings, shutdown::signal()?).await
}

/// Nothing is ever written there: its end is the end of the parent, however that came.
pub(crate) fn end_with_parent() {
    let mut nothing = [0];
    while matches!(io::stdin().read(&mut nothing), Ok(1..)) {}
    process::exit(ORPHANED);
}
