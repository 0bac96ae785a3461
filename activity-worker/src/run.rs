//! Serves activities until asked to stop.

use std::{io, panic::resume_unwind};

use tokio::runtime::{Builder, Runtime};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use warren::Registry;
use warren_broker::{Broker, packing::Packing};
use warren_claims::Claiming;
use warren_service::{
    Settings,
    health::Health,
    hub,
    settings::{Backend, StoreSettings},
    traces::Tracer,
};
use warren_store::{postgres::PostgresPayloads, sqlite::SqlitePayloads};

use crate::{Result, endpoint::Endpoint, plan::Plan, shell};

/// Makes a runtime with as many threads as `worker.threads` says.
pub fn runtime(settings: &Settings) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if settings.worker.threads > 0 {
        builder.worker_threads(settings.worker.threads.into());
    }
    builder.enable_all().build()
}

/// Serves the registry's activities on the broker that the settings name, and the health endpoints, until `shutdown`
/// resolves; then takes nothing more, ends what runs (at most `worker.drain_seconds`), and returns.
///
/// A broker that is away or refuses the user is no error: the worker logs what it tried, is not ready, and tries again,
/// since a restart would do no better. Errors are what a person must mend first.
pub async fn run(settings: &Settings, registry: Registry, shutdown: impl Future<Output = ()>) -> Result<()> {
    let name = format!("activity-worker {}", Plan::new(settings, &registry)?.name());
    let topology = hub::topology(settings)?;
    let broker = Packing::new(hub::amqp(settings, &name)?, topology.clone());
    let health = shell::health();
    let endpoint = Endpoint::open(&settings.health.worker).await?;
    if !settings.health.worker.is_empty() {
        warren_service::metrics::begin();
        shell::describe();
    }
    let stopped = CancellationToken::new();
    let hub_name = settings.hub.name.as_str();
    let payloads = settings.payloads.store();
    let serve = async {
        let served = match payloads.as_ref().and_then(StoreSettings::backend) {
            None => run_with(broker, registry, settings, &health, shutdown).await,
            Some(Backend::Sqlite(path)) => {
                let broker = Claiming::new(broker, SqlitePayloads::new(path, hub_name), topology);
                run_with(broker, registry, settings, &health, shutdown).await
            }
            Some(Backend::Postgres(url)) => match PostgresPayloads::new(url.as_str(), hub_name) {
                Ok(payloads) => {
                    let broker = Claiming::new(broker, payloads, topology);
                    run_with(broker, registry, settings, &health, shutdown).await
                }
                Err(error) => Err(error.into()),
            },
        };
        stopped.cancel();
        served
    };
    let (served, answered) = tokio::join!(serve, endpoint.serve(health.clone(), stopped.clone()));
    served.and(answered)
}

/// Serves the registry's activities on a broker, as [`run`] does, without health endpoints: `health` (see
/// [`health`](crate::health)) is told. For tests on the memory broker, and for programs that host a worker.
pub async fn run_with<B: Broker>(
    broker: B,
    registry: Registry,
    settings: &Settings,
    health: &Health,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let plan = Plan::new(settings, &registry)?;
    let queues: Vec<&str> = plan.queues().iter().map(|spec| spec.name.as_str()).collect();
    tracing::info!(
        worker = plan.name(),
        queues = queues.join(" "),
        concurrency = plan.concurrency(),
        "serving activities"
    );
    let (tracer, exporter) = Tracer::new(&settings.telemetry, "activity-worker", plan.name(), &settings.hub.name);
    let has_ended = CancellationToken::new();
    let export = AbortOnDropHandle::new(tokio::spawn(exporter.run(has_ended.clone().cancelled_owned())));
    // As a task of its own: what a runtime runs as its first future is on no worker's thread, and each word to it and from
    // it would wake another one.
    let stop = CancellationToken::new();
    let serving = shell::serve(broker, registry, plan, (health.clone(), tracer), stop.clone().cancelled_owned());
    let mut serving = AbortOnDropHandle::new(tokio::spawn(serving));
    let served = tokio::select! {
        served = &mut serving => served,
        () = shutdown => {
            stop.cancel();
            serving.await
        }
    };
    has_ended.cancel();
    // It ends by itself, and a panic of it is none of the worker's.
    let _ = export.await;
    served.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => unreachable!("nobody aborts it while it is awaited"),
    })
}
