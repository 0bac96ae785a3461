//! The client process of a fleet: starts instances and awaits their outcomes.

mod http;
mod ingress;
mod ours;

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::{Args, ValueEnum};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::LocalSet;
use warren_model::Payload;

use crate::{
    driver,
    fleet::Places,
    shape::{Shape, Work},
    workload::{self, CHAIN, FAN},
};

/// How long an instance may take.
const WITHIN: Duration = Duration::from_secs(120);

/// What it does, and where.
#[derive(Args, Debug)]
pub(crate) struct Role {
    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    broker: String,

    /// The hub's store
    #[arg(long, value_name = "URL")]
    store: String,

    /// The hub
    #[arg(long, value_name = "NAME")]
    hub: String,

    /// How starts get there
    #[arg(long, value_enum, default_value_t = Way::Control)]
    way: Way,

    /// Commands that are ready together travel together, and their answers too
    #[arg(long)]
    packs: bool,

    /// A client-api, for starts by HTTP
    #[arg(long, value_name = "URL", required_if_eq("way", "http"))]
    api: Option<String>,

    #[command(flatten)]
    work: Work,
}

/// Returns the arguments of a client of this hub.
pub(crate) fn arguments(places: &Places, hub: &str, work: Work) -> Vec<String> {
    let own = ["client", "--broker", &places.broker, "--store", &places.store, "--hub", hub];
    own.into_iter().map(ToOwned::to_owned).chain(work.arguments()).collect()
}

/// How starts get to a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// By the Rust client, to the control queues
    Control,
    /// As from any other system, to the ingress
    Ingress,
    /// Over HTTP, to a client-api
    Http,
}

impl Way {
    /// Returns what flags call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Ingress => "ingress",
            Self::Http => "http",
        }
    }
}

/// Starts instances and awaits how they end.
trait Starter {
    /// Runs one instance; returns its result, or fails if it has none.
    async fn run(&self, name: &str, input: Payload) -> anyhow::Result<Payload>;
}

/// Runs it.
pub(crate) async fn run(role: &Role) -> anyhow::Result<()> {
    match role.way {
        Way::Control => ours::run(role).await,
        Way::Ingress => {
            let measuring =
                async { measure(&ingress::Ingress::connect(&role.broker, &role.hub).await?, role.work).await };
            LocalSet::new().run_until(measuring).await
        }
        Way::Http => measure(&http::Http::new(role.api.as_deref().unwrap_or_default())?, role.work).await,
    }
}

async fn measure(starter: &impl Starter, work: Work) -> anyhow::Result<()> {
    load(starter, work.shape, work.warm_up(), work.inflight).await?;
    driver::measured(async || {
        let begun = Instant::now();
        let took = load(starter, work.shape, work.instances, work.inflight).await?;
        Ok(driver::Figures::new(took, begun.elapsed()))
    })
    .await
}

/// Runs so many instances; returns how long each took.
async fn load(starter: &impl Starter, shape: Shape, count: u32, inflight: usize) -> anyhow::Result<Vec<Duration>> {
    let all = stream::iter(0..count).map(|number| one(starter, shape, number.into())).buffer_unordered(inflight);
    all.try_collect().await
}

/// Runs one instance and looks at its result; returns how long it took.
async fn one(starter: &impl Starter, shape: Shape, number: u64) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let name = if shape.width() > 1 { FAN.name() } else { CHAIN.name() };
    let output = starter.run(name, Payload::of(&workload::job(shape, number))?).await?;
    check(shape, number, &output)?;
    Ok(begun.elapsed())
}

/// Fails unless an instance has returned what it should.
fn check(shape: Shape, number: u64, output: &Payload) -> anyhow::Result<()> {
    let expected = workload::outcome(shape, number)?;
    ensure!(*output == expected, "instance {number} returned {output:?}, and {expected:?} was expected");
    Ok(())
}

#[cfg(test)]
#[path = "client_test.rs"]
mod test;
