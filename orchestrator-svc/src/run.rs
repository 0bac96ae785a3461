//! From settings to a running replica.

use std::{fs::File, path::Path, time::Duration};

use anyhow::{Context, bail};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use warren::Registry;
use warren_broker::{Broker, Codec};
use warren_engine::Limits;
use warren_model::PartitionCount;
use warren_service::{
    Settings, health,
    hub::{amqp, process_name, topology},
    listen,
};
use warren_store::{HubSpec, Store, sqlite::Sqlite};

use crate::{Replica, owner};

/// Owns partitions of the hub that the settings name, with the orchestrators of `registry`, until `shutdown`; then
/// drains and gives them back.
///
/// A broker that can't be reached is no error: it is tried again, readiness says so meanwhile. A store that is not the
/// hub's, a port in use or a setting that makes no sense is one.
pub async fn run(settings: &Settings, registry: Registry, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let report = health::Health::new(&["broker", "store"]);
    let stopped = CancellationToken::new();
    let address = &settings.health.orchestrator;
    let endpoint = if address.is_empty() { None } else { Some(listen::bind(address, "health.orchestrator").await?) };
    let Some(path) = settings.store.sqlite_path() else {
        bail!("store.url = {}: only sqlite: is supported so far", settings.store.url)
    };
    let path = Path::new(path);
    let (store, _lock) = open_sqlite(path, settings).await?;
    let broker = amqp(settings, &format!("orchestrator-svc {}", process_name(&settings.orchestrator.name)))?;
    let replica = replica(settings, registry, store, broker, report.clone()).await?;
    let serve = async {
        let serving =
            endpoint.map(|listener| health::serve(listener, report.clone(), stopped.clone().cancelled_owned()));
        match serving {
            Some(serving) => serving.await,
            None => Ok(()),
        }
    };
    let own = async {
        let drain = async {
            shutdown.await;
            report.drain();
        };
        replica.run(drain).await;
        stopped.cancel();
    };
    let ((), served) = tokio::join!(own, serve);
    served.map_err(Into::into)
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
        name: process_name(&settings.orchestrator.name),
        lease: Duration::from_secs(settings.orchestrator.lease_seconds.into()),
        turn_warn: Duration::from_millis(settings.orchestrator.turn_warn_ms.into()),
        codec,
        registry,
        health,
        store,
        broker,
    })
}

/// Opens the file for this process alone. Whoever held its leases is gone then, so they are free at once.
async fn open_sqlite(path: &Path, settings: &Settings) -> anyhow::Result<(Sqlite, File)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("make folder {}", folder.display()))?;
    }
    let lock_path = path.with_extension("lock");
    let lock = File::create(&lock_path).with_context(|| format!("make {}", lock_path.display()))?;
    if lock.try_lock().is_err() {
        bail!(
            "another orchestrator-svc uses {}: a SQLite hub has one; stop it, or use PostgreSQL for several replicas",
            path.display()
        );
    }
    let count = std::num::NonZeroU16::new(settings.hub.partitions).context("hub.partitions is 0")?;
    let spec = HubSpec { name: settings.hub.name.clone(), partitions: PartitionCount(count) };
    let store = Sqlite::open(path, &spec)?;
    let (leases, _) = Store::leases(&store).await?;
    for lease in leases.into_iter().filter(|lease| lease.owner.is_some()) {
        store.release(lease.partition, lease.epoch).await?;
    }
    Ok((store, lock))
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
        unseen_event: SignedDuration::from_mins(orchestrator.unseen_event_minutes.into()),
        duplicate_window: SignedDuration::from_hours(24 * i64::from(orchestrator.duplicate_window_days)),
        ..owner::Settings::default()
    }
}
