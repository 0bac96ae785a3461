//! What an instance of one activity costs with more processes, all of them on the same processors: they can't be faster
//! together. What each of them does for itself shows; there is no limit to it here.

use super::{
    fleet::Fleet,
    outcome::{Series, Shown},
    plan::{Part, Plan},
};

/// What is counted: everything.
const ALL: &[&str] = &["client", "orchestrator", "worker", "broker", "database"];

/// Measures it with more and more processes of activity-worker.
pub(super) async fn workers(plan: &Plan) -> anyhow::Result<Series> {
    let shown = Shown {
        name: "workers",
        title: "an instance of one activity, by processes of activity-worker",
        x: "processes",
        unit: "us",
        cost: ALL,
        from: Some(1),
        is_limited: false,
    };
    measure(plan, Part::Workers, shown, |count| (1, count)).await
}

/// Measures it with more and more processes of orchestrator-svc.
pub(super) async fn replicas(plan: &Plan) -> anyhow::Result<Series> {
    let shown = Shown {
        name: "replicas",
        title: "an instance of one activity, by processes of orchestrator-svc",
        x: "processes",
        unit: "us",
        cost: ALL,
        from: Some(1),
        is_limited: false,
    };
    measure(plan, Part::Replicas, shown, |count| (count, 1)).await
}

async fn measure(
    plan: &Plan,
    part: Part,
    shown: Shown,
    processes: impl Fn(usize) -> (usize, usize),
) -> anyhow::Result<Series> {
    let mut series = Series::new(shown);
    for _ in 0..plan.rounds() {
        let mut fleet = Fleet::start(plan, part.name(), &[]).await?;
        for count in part.sizes(plan.quick) {
            let (orchestrators, workers) = processes(*count as usize);
            fleet.have(orchestrators, workers).await?;
            series.add(*count, fleet.instances(plan.instances()).await?);
        }
        fleet.check().await?;
        fleet.stop().await?;
    }
    Ok(series)
}
