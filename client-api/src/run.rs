//! From settings to a running service.

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use tokio::{net::TcpListener, task::spawn_blocking};
use tokio_util::sync::CancellationToken;
use warren_broker::Broker;
use warren_client::Options;
use warren_service::{
    Settings,
    hub::{amqp, process_name, topology},
    listen,
    settings::Backend,
    traces::Tracer,
};
use warren_store::{self as store, Payloads, Queries, postgres::PostgresReader, sqlite::SqliteReader};

use crate::{ApiOptions, Bindings, Service, Surface, metrics};

/// After how many lease times without any renewal commands are refused: another owner would have taken over in two.
const LEASES: u32 = 3;

/// Serves the hub that the settings name until `shutdown`; then ends what is open and returns.
///
/// A broker or a store that is away is no error: requests are told so, readiness too, and it is tried again. A port in
/// use, a store of another hub or a setting that makes no sense is one.
pub async fn run(settings: &Settings, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    warren_service::metrics::begin();
    metrics::describe();
    warren_bindings::metrics::describe();
    let bindings = Bindings::new(settings)?;
    let listener = listen::bind(&settings.client_api.listen, "client_api.listen").await?;
    let (tracer, exporter) = Tracer::new(&settings.telemetry, "client-api", &process_name(""), &settings.hub.name);
    let broker = amqp(settings, &format!("client-api {}", settings.client_api.listen))?;
    let service = service(settings, Surface::Whole, (broker, tracer), (listener, bindings))?;
    let has_ended = CancellationToken::new();
    let serve = async {
        let served = serve(service, settings, shutdown).await;
        has_ended.cancel();
        served
    };
    let (served, ()) = tokio::join!(serve, exporter.run(has_ended.cancelled()));
    served
}

/// Serves the paths of `bindings` alone, beside what else a process does with its store, until `shutdown`.
pub async fn serve_paths<B: Broker, Q: Queries + Payloads>(
    settings: &Settings,
    (listener, bindings): (TcpListener, Bindings),
    (broker, queries, tracer): (B, Q, Tracer),
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    metrics::describe();
    let service = service(settings, Surface::Paths, (broker, tracer), (listener, bindings))?;
    let open = || std::future::ready(Ok(queries.clone()));
    service.run(open, shutdown).await.map_err(Into::into)
}

fn service<B: Broker>(
    settings: &Settings,
    surface: Surface,
    (broker, tracer): (B, Tracer),
    (listener, bindings): (TcpListener, Bindings),
) -> anyhow::Result<Service<B>> {
    Ok(Service {
        broker,
        topology: topology(settings)?,
        listener,
        surface,
        api: api_options(settings),
        bindings,
        tracer,
        traces_percent: settings.telemetry.traces_percent,
        lapse: Duration::from_secs(settings.orchestrator.lease_seconds.into()) * LEASES,
        client: Options { payload_bytes_max: settings.hub.payload_bytes_max(), ..Options::default() },
    })
}

/// Serves on the store that the settings name.
async fn serve<B: Broker>(
    service: Service<B>,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let hub = &settings.hub.name;
    match settings.store.backend() {
        Some(Backend::Sqlite(path)) => service.run(|| open_sqlite(path.into(), hub.clone()), shutdown).await?,
        Some(Backend::Postgres(url)) => service.run(|| PostgresReader::open(url.as_str(), hub), shutdown).await?,
        None => bail!("store.url = {}: must begin with sqlite: or postgres://", settings.store.url),
    }
    Ok(())
}

async fn open_sqlite(path: PathBuf, hub: String) -> store::Result<SqliteReader> {
    match spawn_blocking(move || SqliteReader::open(&path, &hub)).await {
        Ok(opened) => opened,
        Err(error) => Err(store::Error::Unavailable(format!("the SQLite database was not opened: {error}"))),
    }
}

fn api_options(settings: &Settings) -> ApiOptions {
    let api = &settings.client_api;
    ApiOptions {
        base_url: Some(api.base_url.clone()).filter(|url| !url.is_empty()),
        body_bytes_max: api.body_megabytes_max as usize * 1024 * 1024,
        wait_max: Duration::from_secs(api.wait_seconds_max.into()),
    }
}

#[cfg(test)]
#[path = "run_test.rs"]
mod test;
