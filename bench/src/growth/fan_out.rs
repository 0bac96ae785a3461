//! What an activity costs among so many that one instance calls at once.

use futures_util::{StreamExt, TryStreamExt, stream};
use warren_model::Payload;

use super::{
    fleet::Fleet,
    outcome::{Series, Shown},
    plan::{Part, Plan},
};
use crate::{
    load::Load,
    workload::{FAN, Job, fan_outcome, parcel},
};

/// About how many activities are under way at a time, of all instances.
const INFLIGHT: u32 = 2_000;

/// Measures it.
pub(super) async fn run(plan: &Plan) -> anyhow::Result<Series> {
    let fleet = Fleet::start(plan, "fan_out", &[]).await?;
    let load = fleet.load().await?;
    let mut series = Series::new(Shown {
        name: "fan-out",
        title: "an activity, by activities that its instance calls at once",
        x: "activities",
        unit: "us",
        cost: &["orchestrator", "database"],
        from: Some(100),
        is_limited: true,
    });
    // Warms everything.
    fan(&load, 100, 20).await?;
    for _ in 0..plan.rounds() {
        for width in Part::FanOut.sizes(plan.quick) {
            let instances = plan.activities().div_ceil(*width);
            series.add(*width, fleet.measure(instances * width, fan(&load, *width, instances)).await?);
        }
    }
    fleet.check().await?;
    fleet.stop().await?;
    Ok(series)
}

/// Runs so many instances of this width, and looks at what they return.
async fn fan(load: &Load, width: u32, instances: u32) -> anyhow::Result<()> {
    let job = Payload::of(&Job { times: width, parcel: parcel(0) })?;
    let expected = fan_outcome(width, 0)?;
    let runs = (0..instances).map(|_| load.run(FAN.name(), job.clone(), &expected));
    let lanes = (INFLIGHT / width).max(1) as usize;
    stream::iter(runs).buffer_unordered(lanes).try_for_each(|_| async { Ok(()) }).await
}
