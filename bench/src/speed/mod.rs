//! `make bench`: how fast the fleet is, beside what the broker alone can do, in one run.
//!
//! A run of ours and a run of the limit alternate, each on an idle machine if it becomes one; what is compared are their
//! medians. Every outcome is looked at by the client, and the hub's own count at the end.

mod bout;
mod contender;
#[cfg(test)]
mod fixture;
mod hub;
mod outcome;
mod plan;
mod table;

use std::collections::BTreeMap;

use crate::{meter::Database, servers, shape::Shape};
pub(crate) use bout::{Bout, run as bout};
pub(crate) use contender::Contender;
pub(crate) use hub::{CONCURRENCY, Hub, completed};
pub(crate) use outcome::machine;
use outcome::{Outcome, Setting};
pub(crate) use plan::{Plan, Row, setting};

/// Measures everything, prints it and writes it.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<()> {
    std::fs::create_dir_all(&plan.folder)?;
    let mut outcome = Outcome::new(settings(plan).await?);
    for row in plan.rows() {
        let hubs = Hubs::start(plan, row).await?;
        for shape in plan.shapes() {
            outcome.add(row, shape, &alternate(plan, &hubs, row, shape).await?);
        }
        for hub in hubs.0.into_values() {
            outcome.seen(hub.check().await?);
            hub.stop().await?;
        }
    }
    table::print(&outcome)?;
    outcome.write(&plan.output)
}

/// The fleets of a row: packed work items are a setting of theirs.
struct Hubs(BTreeMap<Contender, Hub>);

impl Hubs {
    async fn start(plan: &Plan, row: Row) -> anyhow::Result<Self> {
        let mut hubs = BTreeMap::from([(Contender::Ours, Hub::start(plan, row, Contender::Ours).await?)]);
        if plan.shapes().iter().any(|shape| plan.contenders(row, *shape).contains(&Contender::Packed)) {
            hubs.insert(Contender::Packed, Hub::start(plan, row, Contender::Packed).await?);
        }
        Ok(Self(hubs))
    }

    /// Returns a contender's fleet, or for one without a fleet the first, whose servers it shares.
    fn of(&self, contender: Contender) -> &Hub {
        self.0.get(&contender).unwrap_or(&self.0[&Contender::Ours])
    }
}

/// Runs ours and the limit in turns.
async fn alternate(plan: &Plan, hubs: &Hubs, row: Row, shape: Shape) -> anyhow::Result<BTreeMap<Contender, Vec<Bout>>> {
    let mut bouts: BTreeMap<Contender, Vec<Bout>> = BTreeMap::new();
    let contenders = plan.contenders(row, shape);
    for round in 0..plan.runs(row) {
        for contender in &contenders {
            let bout = bout::run(plan, hubs.of(*contender), *contender, plan.work(shape), round == 0).await?;
            eprintln!("{}", table::line(row, *contender, &bout));
            bouts.entry(*contender).or_default().push(bout);
        }
    }
    Ok(bouts)
}

/// Asks the servers how they are set, and fails if they would lose what they have taken.
async fn settings(plan: &Plan) -> anyhow::Result<Vec<Setting>> {
    let mut settings = machine();
    settings.push(Setting::new("rabbitmq", servers::broker_version().await?));
    let database = Database::connect(&plan.store).await?.settings().await?;
    settings.extend(database.into_iter().map(|(name, value)| Setting::new(&format!("postgresql {name}"), value)));
    Ok(settings)
}
