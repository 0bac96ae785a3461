//! The client process of a fleet: starts instances by the Rust client and awaits their outcomes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{task::spawn_blocking, time::sleep};
use warren_broker::{
    QueueType, Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_client::{Client, Ended, Error, Options};
use warren_model::{Payload, Status};
use warren_store::{Payloads, Queries, postgres::PostgresReader, sqlite::SqliteReader};

use crate::{
    driver,
    shape::{Shape, Work},
    workload::{self, CHAIN, FAN},
};

/// How long an instance may take.
const WITHIN: Duration = Duration::from_secs(120);
/// The pause before the first start is sent again to a hub that has no queues yet.
const AGAIN: Duration = Duration::from_millis(20);

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

    #[command(flatten)]
    work: Work,
}

/// Runs it.
pub(crate) async fn run(role: &Role) -> anyhow::Result<()> {
    match role.store.strip_prefix("sqlite:") {
        Some(file) => {
            let (file, hub) = (file.to_owned(), role.hub.clone());
            measure(role, spawn_blocking(move || SqliteReader::open(Path::new(&file), &hub)).await??).await
        }
        None => measure(role, PostgresReader::open(&role.store, &role.hub).await?).await,
    }
}

async fn measure<Q: Queries + Payloads>(role: &Role, queries: Q) -> anyhow::Result<()> {
    let topology = Topology::new(&role.hub)?.with_queue_type(QueueType::Quorum);
    let broker = Amqp::connect_lazily(AmqpConfig::new(&role.broker, "bench client", topology.clone()))?;
    let options = Options { within: WITHIN, unsent_within: WITHIN, ..Options::default() };
    let starter = Starter { client: Client::connect(broker, queries, topology, options)?, shape: role.work.shape };
    starter.first().await?;
    starter.load(role.work.warm_up(), role.work.inflight).await?;
    driver::measured(async || {
        let begun = Instant::now();
        let took = starter.load(role.work.instances, role.work.inflight).await?;
        Ok(driver::Figures::new(took, begun.elapsed()))
    })
    .await
}

struct Starter<Q> {
    client: Client<Q>,
    shape: Shape,
}

impl<Q: Queries> Starter<Q> {
    /// Runs one instance. A hub that was just made may have no queues yet: then it asks again.
    async fn first(&self) -> anyhow::Result<()> {
        let until = Instant::now() + WITHIN;
        loop {
            match self.one(0).await {
                Err(error) if is_unavailable(&error) && Instant::now() < until => sleep(AGAIN).await,
                other => return other.map(|_| ()),
            }
        }
    }

    /// Runs so many instances; returns how long each took.
    async fn load(&self, count: u32, inflight: usize) -> anyhow::Result<Vec<Duration>> {
        let all = stream::iter(0..count).map(|number| self.one(number.into())).buffer_unordered(inflight);
        all.try_collect().await
    }

    /// Runs one instance and looks at its outcome; returns how long it took.
    async fn one(&self, number: u64) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let name = if self.shape.width() > 1 { FAN.name() } else { CHAIN.name() };
        let input = Payload::of(&workload::job(self.shape, number))?;
        let ended = self.client.start(name, input).within(WITHIN).run().await?;
        check(self.shape, number, &ended)?;
        Ok(begun.elapsed())
    }
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Unavailable { .. }))
}

/// Fails unless an instance has ended as it should.
fn check(shape: Shape, number: u64, ended: &Ended) -> anyhow::Result<()> {
    let expected = workload::outcome(shape, number)?;
    ensure!(ended.status == Status::Completed, "instance {number} is {:?}: {:?}", ended.status, ended.outcome);
    let output = ended.outcome.as_ref().ok().context("a completed instance has a result")?;
    ensure!(*output == expected, "instance {number} returned {output:?}, and {expected:?} was expected");
    Ok(())
}

#[cfg(test)]
#[path = "client_test.rs"]
mod test;
