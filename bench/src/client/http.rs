//! Over HTTP: a request that waits for the end.

use std::time::Duration;

use anyhow::ensure;
use client_api::http_client::HttpClient;
use warren_model::Payload;

use super::{Starter, WITHIN};

/// How long client-api is asked to wait: as long as it does at most, by default.
const WAIT_SECONDS: u64 = 60;

/// A client of a client-api.
pub(super) struct Http(HttpClient);

impl Http {
    pub(super) fn new(api: &str) -> anyhow::Result<Self> {
        Ok(Self(HttpClient::new(&format!("{api}/api/v1"), WITHIN.max(Duration::from_secs(2 * WAIT_SECONDS)))?))
    }
}

impl Starter for Http {
    async fn run(&self, name: &str, input: Payload) -> anyhow::Result<Payload> {
        let path = format!("/orchestrators/{name}?timeout={WAIT_SECONDS}");
        let reply = self.0.post(&path, &[], input.as_str().as_bytes().to_vec()).await?;
        ensure!(reply.status == 200, "client-api answers {}: {}", reply.status, reply.text());
        Ok(Payload::from_bytes(&reply.body)?)
    }
}
