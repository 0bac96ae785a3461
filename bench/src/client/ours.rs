//! By the Rust client: one message there, one back.

use std::{path::Path, time::Instant};

use anyhow::anyhow;
use tokio::{task::spawn_blocking, time::sleep};
use warren_broker::{
    Topology,
    amqp::{Amqp, AmqpConfig},
};
use warren_client::{Client, Error, Options};
use warren_model::Payload;
use warren_store::{Payloads, Queries, postgres::PostgresReader, sqlite::SqliteReader};

use super::{Role, Starter, WITHIN, measure};
use crate::workload::{self, CHAIN};

/// The pause before the first start is sent again to a hub that has no queues yet.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

/// Runs it, on whichever store the hub has.
pub(super) async fn run(role: &Role) -> anyhow::Result<()> {
    match role.store.strip_prefix("sqlite:") {
        Some(file) => {
            let (file, hub) = (file.to_owned(), role.hub.clone());
            with(role, spawn_blocking(move || SqliteReader::open(Path::new(&file), &hub)).await??).await
        }
        None => with(role, PostgresReader::open(&role.store, &role.hub).await?).await,
    }
}

async fn with<Q: Queries + Payloads>(role: &Role, queries: Q) -> anyhow::Result<()> {
    let topology = Topology::new(&role.hub)?;
    let broker = Amqp::connect_lazily(AmqpConfig::new(&role.broker, "bench client", topology.clone()))?;
    let options = Options { within: WITHIN, unsent_within: WITHIN, packs: role.packs, ..Options::default() };
    let client = Client::connect(broker, queries, topology, options)?;
    first(&client).await?;
    measure(&client, role.work).await
}

/// Runs one instance. A hub that was just made may have no queues yet: then it asks again.
async fn first<Q: Queries>(client: &Client<Q>) -> anyhow::Result<()> {
    let until = Instant::now() + WITHIN;
    let input = Payload::of(&workload::job(crate::shape::Shape::W1, 0))?;
    loop {
        match client.start(CHAIN.name(), input.clone()).run().await {
            Err(Error::Unavailable { .. }) if Instant::now() < until => sleep(AGAIN).await,
            other => return Ok(other.map(|_| ())?),
        }
    }
}

impl<Q: Queries> Starter for Client<Q> {
    async fn run(&self, name: &str, input: Payload) -> anyhow::Result<Payload> {
        let ended = self.start(name, input).within(WITHIN).run().await?;
        ended.outcome.map_err(|failure| anyhow!("an instance is {:?}: {failure:?}", ended.status))
    }
}
