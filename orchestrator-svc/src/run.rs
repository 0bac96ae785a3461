//! From settings to a running replica.

use std::{fs::File, path::Path, time::Duration};

use anyhow::{Context, bail};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use warren::Registry;
use warren_broker::{
    Broker, Codec, QueueType, Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_engine::Limits;
use warren_model::PartitionCount;
use warren_service::{Settings, health, listen, settings};
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
    let broker = amqp(settings)?;
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
    let hub = store.hub();
    let codec = Codec::new(topology(settings)?, hub.partitions, hub.secret);
    let known: Vec<String> = registry.orchestrators().map(|known| known.name.to_string()).collect();
    tracing::info!(hub = hub.name, partitions = hub.partitions.0, orchestrators = known.join(" "), "owning");
    Ok(Replica {
        owner: owner_settings(settings),
        prefetch: settings.orchestrator.prefetch,
        name: name(settings),
        lease: Duration::from_secs(settings.orchestrator.lease_seconds.into()),
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

fn amqp(settings: &Settings) -> anyhow::Result<Amqp> {
    let name = format!("orchestrator-svc {}", name(settings));
    let mut config = AmqpConfig::new(settings.broker.url.as_str(), name, topology(settings)?);
    config.heartbeat = Duration::from_secs(settings.broker.heartbeat_seconds.into());
    Ok(Amqp::connect_lazily(config)?)
}

fn topology(settings: &Settings) -> anyhow::Result<Topology> {
    let queue_type = match settings.broker.queue_type {
        settings::QueueType::Quorum => QueueType::Quorum,
        settings::QueueType::Classic => QueueType::Classic,
    };
    let topology = Topology::new(&settings.hub.name)?;
    Ok(topology.with_queue_type(queue_type).with_delivery_limit(settings.broker.delivery_limit))
}

fn owner_settings(settings: &Settings) -> owner::Settings {
    let orchestrator = &settings.orchestrator;
    let limits = Limits {
        history_events: orchestrator.history_events_max,
        history_bytes: u64::from(orchestrator.history_megabytes_max) << 20,
        payload_bytes: settings.hub.payload_bytes_max(),
    };
    owner::Settings {
        batch: orchestrator.batch.into(),
        cache_instances: usize::try_from(orchestrator.cache_instances).unwrap_or(usize::MAX),
        limits,
        unseen_event: SignedDuration::from_mins(orchestrator.unseen_event_minutes.into()),
        duplicate_window: SignedDuration::from_hours(24 * i64::from(orchestrator.duplicate_window_days)),
        ..owner::Settings::default()
    }
}

fn name(settings: &Settings) -> String {
    if settings.orchestrator.name.is_empty() {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        return format!("{}-{}", host.trim(), std::process::id());
    }
    settings.orchestrator.name.clone()
}
