//! Opening the store that the settings name.

use std::{collections::BTreeSet, fs::File, num::NonZeroU16, path::Path, time::Duration};

use anyhow::{Context, bail};
use warren_model::{Partition, PartitionCount};
use warren_service::{Settings, health::Health};
use warren_store::{Error, HubSpec, Store, postgres::Postgres, sqlite::Sqlite};

/// How long to wait before a database that can't be reached is tried again.
const LOOK: Duration = Duration::from_secs(1);

/// Opens the file for this process alone. Whoever held its leases is gone then, so they are free at once; returns which
/// they were.
pub(crate) async fn sqlite(path: &Path, settings: &Settings) -> anyhow::Result<(Sqlite, BTreeSet<Partition>, File)> {
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
    let store = Sqlite::open(path, &spec(settings)?)?;
    let survey = Store::survey(&store).await?;
    let mut orphaned = BTreeSet::new();
    for lease in survey.leases.into_iter().filter(|lease| lease.owner.is_some()) {
        orphaned.insert(lease.partition);
        store.release(lease.partition, lease.epoch).await?;
    }
    for gone in survey.replicas {
        store.renew(&gone.replica, false, &[]).await?;
    }
    Ok((store, orphaned, lock))
}

/// Opens the hub in PostgreSQL, as one of any number of replicas, as soon as the server can be reached; `health` says
/// meanwhile why not. Drop the future to give up. Fails with what does not pass: another partition count, a later version.
pub(crate) async fn postgres(url: &str, settings: &Settings, health: &Health) -> anyhow::Result<Postgres> {
    let spec = spec(settings)?;
    loop {
        match Postgres::open(url, &spec).await {
            Err(error @ Error::Unavailable(_)) => {
                health.fail("store", error.to_string());
                tokio::time::sleep(LOOK).await;
            }
            other => return Ok(other?),
        }
    }
}

fn spec(settings: &Settings) -> anyhow::Result<HubSpec> {
    let count = NonZeroU16::new(settings.hub.partitions).context("hub.partitions is 0")?;
    Ok(HubSpec { name: settings.hub.name.clone(), partitions: PartitionCount(count) })
}
