//! What an instance of one activity costs beside many that have ended.
//!
//! Each size is a hub of its own. One instance was run there; the others that have ended are copies of its rows.

use warren_model::Payload;

use super::{
    fleet::Fleet,
    outcome::{Series, Shown},
    plan::{Part, Plan},
};
use crate::{
    shape::Shape,
    workload::{self, CHAIN},
};

/// Measures it.
pub(super) async fn run(plan: &Plan) -> anyhow::Result<Series> {
    let mut fleets = Vec::new();
    for size in Part::Store.sizes(plan.quick) {
        fleets.push((*size, filled(plan, *size).await?));
    }
    let mut series = Series::new(Shown {
        name: "store",
        title: "an instance of one activity, by instances that have ended",
        x: "instances",
        unit: "us",
        cost: &["orchestrator", "database"],
        from: Some(1_000),
        is_limited: true,
    });
    for _ in 0..plan.rounds() {
        for (size, fleet) in &fleets {
            series.add(*size, fleet.instances(plan.instances()).await?);
        }
    }
    for (_, fleet) in fleets {
        fleet.check().await?;
        fleet.stop().await?;
    }
    Ok(series)
}

/// Returns a fleet in whose store so many instances have ended. Its owner need not know of them.
async fn filled(plan: &Plan, size: u32) -> anyhow::Result<Fleet> {
    let fleet = Fleet::start(plan, &format!("store_{size}"), &[]).await?;
    let (job, outcome) = (Payload::of(&workload::job(Shape::W1, 0))?, workload::outcome(Shape::W1, 0)?);
    let id = fleet.load().await?.run(CHAIN.name(), job, &outcome).await?;
    eprintln!("store: writing {size} instances that have ended");
    let mut rows = fleet.rows().await?;
    rows.copy(&id, size as usize - 1).await?;
    rows.settle().await?;
    Ok(fleet)
}
