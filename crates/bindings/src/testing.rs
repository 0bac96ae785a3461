//! What bindings feed, for tests: a hub whose owner is a script.

use std::time::Duration;

use axum::{body::Body, extract::Request};
use futures_util::future::try_join_all;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;
use warren_broker::memory::Memory;
use warren_client::{
    Client, Options,
    testing::{MemoryQueries, ScriptedOwner, topology},
};
use warren_service::health::{Health, router};

use crate::Consumers;

/// How long a test waits for what must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A process that takes messages for a hub. One that is dropped stops as well.
pub(crate) struct Stack {
    pub(crate) owner: ScriptedOwner,
    health: Health,
    stop: DropGuard,
    consumers: Vec<JoinHandle<()>>,
}

impl Stack {
    pub(crate) async fn start(consumers: Consumers) -> Self {
        let broker = Memory::new(topology());
        let owner = ScriptedOwner::start(&broker).await;
        let options =
            Options { within: DEADLINE, unsent_within: DEADLINE, payload_bytes_max: 1_000, ..Options::default() };
        let client = Client::connect(broker, MemoryQueries::default(), topology(), options).unwrap();
        let (health, stopping) = (Health::new(&[]), CancellationToken::new());
        let consumers = consumers.run(&client, &stopping, &health).map(tokio::spawn).collect();
        Self { owner, health, stop: stopping.drop_guard(), consumers }
    }

    /// Waits until readiness says this of the bindings, and returns it.
    pub(crate) async fn says_of_bindings(&self, is_expected: impl Fn(&str) -> bool) -> String {
        let says = async {
            loop {
                match self.ready().await["checks"]["bindings"].as_str() {
                    Some(told) if is_expected(told) => return told.to_owned(),
                    Some(_) | None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        timeout(DEADLINE, says).await.expect("readiness says so")
    }

    /// Returns what readiness says, which is never that the process is of no use.
    async fn ready(&self) -> Value {
        let request = Request::get("/health/ready").body(Body::empty()).unwrap();
        let reply = router(self.health.clone()).oneshot(request).await.unwrap();
        assert_eq!(reply.status(), 200);
        serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    /// Stops, and waits until nothing is under way.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        timeout(DEADLINE, try_join_all(self.consumers)).await.expect("the consumers stop when told").unwrap();
    }
}
