//! How much memory orchestrator-svc takes for an instance that waits: while it is kept in memory, and while it is not.

use std::{collections::BTreeMap, time::Duration};

use anyhow::ensure;
use tokio::time::sleep;
use warren_model::Payload;

use super::{
    fleet::Fleet,
    outcome::{Series, Shown},
    plan::{Part, Plan},
    sample::Sample,
};
use crate::{fleet::Service, load::Load, workload::HEAR};

/// More than there are, and nearly none.
const KEPT: [&str; 2] = ["orchestrator.cache_instances=1000000", "orchestrator.cache_megabytes=8192"];
const NOT_KEPT: [&str; 1] = ["orchestrator.cache_instances=100"];
/// How many come first, so that everything has its buffers.
const FIRST: u32 = 2_000;
/// Memory counts once it stays the same for so long.
const STILL: Duration = Duration::from_secs(1);
/// … and is looked at as often at most.
const LOOKS: u32 = 10;

/// Measures it.
pub(super) async fn run(plan: &Plan) -> anyhow::Result<Series> {
    let mut series = Series::new(Shown {
        name: "memory",
        title: "memory of orchestrator-svc per instance, by instances that wait",
        x: "instances",
        unit: "bytes",
        cost: &["cached"],
        from: None,
        is_limited: false,
    });
    let cached = Fleet::start(plan, "cached", &KEPT).await?;
    let waiting = Fleet::start(plan, "waiting", &NOT_KEPT).await?;
    let (kept, not_kept) = (per_instance(plan, &cached).await?, per_instance(plan, &waiting).await?);
    for ((count, cached), waiting) in Part::Memory.sizes(plan.quick).iter().zip(kept).zip(not_kept) {
        let figures = BTreeMap::from([("cached", cached), ("waiting", waiting)]);
        series.add(*count, Sample { figures, others: 0.0 });
    }
    for fleet in [cached, waiting] {
        fleet.stop().await?;
    }
    Ok(series)
}

/// Returns how many bytes each instance takes of those that lead from one size to the next.
async fn per_instance(plan: &Plan, fleet: &Fleet) -> anyhow::Result<Vec<f64>> {
    let load = fleet.load().await?;
    start(&load, FIRST).await?;
    let (mut count, mut before, mut all) = (0, settled(fleet).await, Vec::new());
    for size in Part::Memory.sizes(plan.quick) {
        start(&load, size - count).await?;
        let now = settled(fleet).await;
        all.push((now as f64 - before as f64) / f64::from(size - count));
        (count, before) = (*size, now);
    }
    let (waiting, _) = fleet.rows().await?.waiting().await?;
    ensure!(waiting == i64::from(FIRST + count), "{waiting} instances wait, and {} were started", FIRST + count);
    Ok(all)
}

async fn start(load: &Load, count: u32) -> anyhow::Result<()> {
    load.starts(HEAR.name(), &Payload::of(&())?, count).await.map(|_| ())
}

/// Returns how much memory its orchestrator-svc takes, once that does not change any more or was awaited long enough.
async fn settled(fleet: &Fleet) -> u64 {
    let now = || fleet.orchestrators.iter().map(Service::resident).sum();
    let mut before: u64 = now();
    for _ in 0..LOOKS {
        sleep(STILL).await;
        let after = now();
        if after == before {
            break;
        }
        before = after;
    }
    before
}
