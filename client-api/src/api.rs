//! What every handler is given.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use warren_client::Client;

use crate::{problem::Problem, standing::Trouble};

/// How the API behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiOptions {
    /// How clients reach the API, for the links in its answers; `None`: as the request's headers say.
    pub base_url: Option<String>,
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// Longest time that a request waits for an instance's end; one that asks for more waits so long.
    pub wait_max: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self { base_url: None, body_bytes_max: 4 * 1024 * 1024, wait_max: Duration::from_secs(60) }
    }
}

/// Whether the hub can be used.
#[derive(Clone, Debug)]
pub(crate) enum Stage<Q> {
    /// The store is not there yet; says why.
    Waiting(String),
    /// The store is open.
    Open(Client<Q>),
}

/// What every handler is given. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api<Q> {
    shared: Arc<Shared<Q>>,
}

#[derive(Debug)]
struct Shared<Q> {
    hub: String,
    options: ApiOptions,
    stage: watch::Receiver<Stage<Q>>,
    trouble: watch::Receiver<Trouble>,
    stopping: CancellationToken,
}

impl<Q: Clone> Api<Q> {
    /// Returns the API of a hub. Once `stopping` is cancelled, requests that wait for an instance's end are answered at
    /// once.
    pub(crate) fn new(
        hub: String,
        options: ApiOptions,
        stage: watch::Receiver<Stage<Q>>,
        trouble: watch::Receiver<Trouble>,
        stopping: CancellationToken,
    ) -> Self {
        Self { shared: Arc::new(Shared { hub, options, stage, trouble, stopping }) }
    }

    /// Returns the hub's client for a command, or the answer that nobody could carry one out at the moment.
    pub(crate) fn commander(&self) -> Result<Client<Q>, Problem> {
        let client = self.client()?;
        match &*self.shared.trouble.borrow() {
            Some(why) => Err(Problem::unavailable(format!("failed to {why}; nothing was accepted"))),
            None => Ok(client),
        }
    }

    /// Returns the hub's client, or the answer that it can't be used yet.
    pub(crate) fn client(&self) -> Result<Client<Q>, Problem> {
        match self.stage() {
            Stage::Waiting(why) => Err(Problem::unavailable(format!("failed to {why}; nothing was accepted"))),
            Stage::Open(client) => Ok(client),
        }
    }

    /// Returns whether the hub can be used.
    pub(crate) fn stage(&self) -> Stage<Q> {
        self.shared.stage.borrow().clone()
    }

    /// Returns the hub's name.
    pub(crate) fn hub(&self) -> &str {
        &self.shared.hub
    }

    /// Returns how the API behaves.
    pub(crate) fn options(&self) -> &ApiOptions {
        &self.shared.options
    }

    /// Waits until the API stops.
    pub(crate) async fn stopping(&self) {
        self.shared.stopping.cancelled().await;
    }
}
