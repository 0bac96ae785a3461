//! From settings to a running replica.

use std::{collections::BTreeSet, path::Path, pin::pin, time::Duration};

use anyhow::bail;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use warren::Registry;
use warren_broker::{Broker, Codec, packing::Packing};
use warren_claims::Claiming;
use warren_engine::Limits;
use warren_model::Partition;
use warren_service::{
    Settings, health,
    hub::{amqp, process_name, topology},
    listen,
    settings::Backend,
    traces::Tracer,
};
use warren_store::{Payloads, Queries, Store};

use crate::{
    Replica,
    bindings::{Feeding, Ways, ways},
    open, owner,
    shell::{INGRESS, metrics::describe},
};

/// What a replica is given besides its store.
struct Outfit {
    registry: Registry,
    ways: Ways,
    report: health::Health,
    tracer: Tracer,
}

/// Owns partitions of the hub that the settings name, with the orchestrators of `registry`, until `shutdown`; then
/// drains and gives them back.
///
/// A broker or a PostgreSQL server that can't be reached is no error: it is tried again, readiness says so meanwhile. A
/// store that is not the hub's, a port in use or a setting that makes no sense is one.
pub async fn run(settings: &Settings, registry: Registry, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let report = health::Health::new(&["broker", "store", INGRESS]);
    let stopped = CancellationToken::new();
    let address = &settings.health.orchestrator;
    if !address.is_empty() {
        warren_service::metrics::begin();
        describe();
        warren_bindings::metrics::describe();
    }
    let ways = ways(settings).await?;
    let endpoint = if address.is_empty() { None } else { Some(listen::bind(address, "health.orchestrator").await?) };
    let serve = async {
        let serving =
            endpoint.map(|listener| health::serve(listener, report.clone(), stopped.clone().cancelled_owned()));
        match serving {
            Some(serving) => serving.await,
            None => Ok(()),
        }
    };
    let process = process_name(&settings.orchestrator.name);
    let (tracer, exporter) = Tracer::new(&settings.telemetry, "orchestrator-svc", &process, &settings.hub.name);
    let own = async {
        let outfit = Outfit { registry, ways, report: report.clone(), tracer };
        let owned = open_and_own(settings, outfit, shutdown).await;
        stopped.cancel();
        owned
    };
    let (owned, served, ()) = tokio::join!(own, serve, exporter.run(stopped.cancelled()));
    owned?;
    served.map_err(Into::into)
}

/// Chooses the store by its URL, and owns.
async fn open_and_own(settings: &Settings, outfit: Outfit, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    match settings.store.backend() {
        Some(Backend::Sqlite(path)) => {
            let (store, orphaned, _lock) = open::sqlite(Path::new(path), settings).await?;
            own(settings, outfit, (store, orphaned), shutdown).await
        }
        Some(Backend::Postgres(url)) => {
            let mut shutdown = pin!(shutdown);
            let store = tokio::select! {
                opened = open::postgres(url.as_str(), settings, &outfit.report) => opened?,
                () = &mut shutdown => return Ok(()),
            };
            own(settings, outfit, (store, BTreeSet::new()), shutdown).await
        }
        None => bail!("store.url = {}: must begin with sqlite: or postgres://", settings.store.url),
    }
}

async fn own<S: Store + Payloads + Queries>(
    settings: &Settings,
    Outfit { registry, ways, report, tracer }: Outfit,
    (store, orphaned): (S, BTreeSet<Partition>),
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let broker = amqp(settings, &format!("orchestrator-svc {}", process_name(&settings.orchestrator.name)))?;
    let topology = topology(settings)?;
    let feeding = Feeding::begin(ways, settings, (broker.clone(), store.clone()), (&report, &tracer))?;
    let broker = Claiming::new(Packing::new(broker, topology.clone()), store.clone(), topology);
    let mut replica = replica(settings, registry, store, broker, report.clone()).await?;
    replica.orphaned = orphaned;
    replica.owner.traces = tracer.is_on();
    replica.tracer = tracer;
    let drain = async {
        shutdown.await;
        report.drain();
        // Before the partitions are given back: with the last replica nobody would accept what is under way.
        feeding.end().await;
    };
    replica.run(drain).await.map_err(Into::into)
}

/// Returns a replica on any store and broker.
pub async fn replica<S: Store, B: Broker>(
    settings: &Settings,
    registry: Registry,
    store: S,
    broker: B,
    health: health::Health,
) -> anyhow::Result<Replica<S, B>> {
    let warren_store::Hub { name, partitions, secret } = store.hub().clone();
    let codec = Codec::new(topology(settings)?, partitions, secret);
    let known: Vec<String> = registry.orchestrators().map(|known| known.name.to_string()).collect();
    tracing::info!(hub = name, partitions = partitions.0, orchestrators = known.join(" "), "owning");
    Ok(Replica {
        owner: owner_settings(settings),
        prefetch: settings.orchestrator.prefetch,
        threads: settings.orchestrator.threads.into(),
        name: lease_name(&settings.orchestrator.name),
        lease: Duration::from_secs(settings.orchestrator.lease_seconds.into()),
        turn_warn: Duration::from_millis(settings.orchestrator.turn_warn_ms.into()),
        turn_limit: Duration::from_secs(settings.orchestrator.turn_limit_seconds.into()),
        orphaned: BTreeSet::new(),
        codec,
        registry,
        health,
        tracer: Tracer::off(),
        store,
        broker,
    })
}

/// Returns what a process calls itself in leases: as elsewhere, and never as another process or an earlier life of it
/// does, for whose lease it would have to wait.
fn lease_name(setting: &str) -> String {
    format!("{}-{:.4}", process_name(setting), Uuid::new_v4().simple())
}

fn owner_settings(settings: &Settings) -> owner::Settings {
    let orchestrator = &settings.orchestrator;
    // The bounds are those of the process, which may come to own every partition.
    let share = |whole: u64| (whole / u64::from(settings.hub.partitions.max(1))).max(1);
    let limits = Limits {
        history_events: orchestrator.history_events_max,
        history_bytes: u64::from(orchestrator.history_megabytes_max) << 20,
        payload_bytes: settings.hub.payload_bytes_max(),
    };
    owner::Settings {
        batch: orchestrator.batch.into(),
        cache_instances: usize::try_from(share(orchestrator.cache_instances.into())).unwrap_or(usize::MAX),
        cache_bytes: share(u64::from(orchestrator.cache_megabytes) << 20),
        limits,
        begins_max: orchestrator.task_begins_max,
        fails_quarantined: orchestrator.fail_quarantined_tasks,
        unseen_event: SignedDuration::from_mins(orchestrator.unseen_event_minutes.into()),
        purge_after: Some(days(orchestrator.purge_after_days)).filter(|kept| kept.is_positive()),
        duplicate_window: days(orchestrator.duplicate_window_days),
        ..owner::Settings::default()
    }
}

fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}
