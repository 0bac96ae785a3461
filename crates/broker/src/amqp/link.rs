//! One connection, kept: connected when first used, watched, connected again after a loss.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    AmqpConfig,
    address::{Target, show_all},
    backoff,
    error::{Asker, why},
    full::Full,
    pulse::pulse,
};
use crate::{Error, Health, Result};

/// A connection that lived this long was no failure: the next wait is the shortest again.
const LIVED: Duration = Duration::from_secs(10);

/// How often the state is looked at besides events: lapin tells nobody of a connection that was closed politely.
const LOOK: Duration = Duration::from_millis(500);

/// How long after the end of a connection its reason may come.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Receiving,
    Sending,
}

/// One kept connection. Dropping it closes the connection, once its channels are gone too.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    keeper: OnceLock<JoinHandle<()>>,
    full: Full,
}

#[derive(Debug)]
struct Shared {
    /// The nodes of the broker, at least one.
    nodes: Vec<Target>,
    name: String,
    purpose: Purpose,
    asker: Asker,
    config: AmqpConfig,
    phase: watch::Sender<Phase>,
}

#[derive(Clone, Debug)]
enum Phase {
    /// Nobody has asked for it yet.
    Idle,
    Up {
        connection: Arc<Connection>,
        blocked: Option<String>,
    },
    /// How many rounds of attempts, one at each node, have failed so far, and how the last one did (or how the
    /// connection was lost).
    Down {
        rounds: u64,
        error: Error,
    },
}

impl Phase {
    fn rounds(&self) -> u64 {
        match self {
            Self::Idle | Self::Up { .. } => 0,
            Self::Down { rounds, .. } => *rounds,
        }
    }
}

impl Link {
    pub(super) fn new(config: &AmqpConfig, nodes: &[Target], purpose: Purpose) -> Self {
        let shown = match purpose {
            Purpose::Receiving => "receiving",
            Purpose::Sending => "sending",
        };
        let shared = Shared {
            nodes: nodes.to_vec(),
            name: format!("{} {shown}", config.name),
            purpose,
            asker: Asker { address: show_all(nodes), timeout: config.answer_timeout },
            config: config.clone(),
            phase: watch::Sender::new(Phase::Idle),
        };
        Self { shared: Arc::new(shared), keeper: OnceLock::new(), full: Full::default() }
    }

    pub(super) fn asker(&self) -> &Asker {
        &self.shared.asker
    }

    /// Returns which queues take no messages that are published on it.
    pub(super) fn full(&self) -> &Full {
        &self.full
    }

    pub(super) fn is_used(&self) -> bool {
        self.keeper.get().is_some()
    }

    /// Opens a channel. Waits for the connection, and fails once every node was tried in vain, so that a caller that
    /// tries again and again does so at the keeper's pace.
    pub(super) async fn channel(&self) -> Result<Channel> {
        self.keeper.get_or_init(|| tokio::spawn(keep(self.shared.clone())));
        let connection = self.connection().await?;
        let opened = self.shared.asker.ask(connection.create_channel()).await;
        opened.map_err(|error| match self.health() {
            // Nothing is written to a blocked connection, so that no answer is no wonder.
            Some(Health::Blocked(why)) => self.asker().unavailable(format!("it takes no messages: {why}")),
            Some(Health::Up | Health::Refusing(_) | Health::Down(_)) | None => error,
        })
    }

    /// Returns how it is; `None` if nobody has asked for it yet.
    pub(super) fn health(&self) -> Option<Health> {
        match &*self.shared.phase.borrow() {
            Phase::Idle => self.is_used().then(|| Health::Down(format!("connecting to {}", self.asker().address))),
            Phase::Up { blocked: Some(why), .. } => Some(Health::Blocked(why.clone())),
            Phase::Up { blocked: None, .. } => Some(Health::Up),
            Phase::Down { error, .. } => Some(Health::Down(format!("cannot {error}"))),
        }
    }

    async fn connection(&self) -> Result<Arc<Connection>> {
        let mut phases = self.shared.phase.subscribe();
        let seen = phases.borrow().rounds();
        let settled = phases.wait_for(|phase| match phase {
            Phase::Idle => false,
            Phase::Up { .. } => true,
            Phase::Down { rounds, .. } => *rounds > seen,
        });
        match &*settled.await.expect("the sender lives in `shared`") {
            Phase::Up { connection, .. } => Ok(connection.clone()),
            Phase::Down { error, .. } => Err(error.clone()),
            Phase::Idle => Err(self.shared.asker.unavailable("not connected yet".into())),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.abort();
        }
    }
}

/// Connects, watches until the connection is lost, waits, and connects again: to the next node.
async fn keep(shared: Arc<Shared>) {
    let count = shared.nodes.len();
    let mut next = backoff::any(count);
    // Attempts in vain since the last connection.
    let mut tried: usize = 0;
    let mut rounds = 0;
    let mut failures: usize = 0;
    loop {
        let node = &shared.nodes[next % count];
        let error = match shared.connect(node).await {
            Ok(connection) => {
                let since = Instant::now();
                tracing::info!(address = node.shown, connection = shared.name, "connected to the broker");
                let error = shared.hold(connection, &node.shown).await;
                tried = 0;
                failures = if since.elapsed() >= LIVED { 0 } else { failures };
                error
            }
            Err(error) => {
                tried += 1;
                rounds += u64::from(tried.is_multiple_of(count));
                error
            }
        };
        next += 1;
        failures += 1;
        let wait = shared.wait(failures.div_ceil(count), &error);
        shared.tell(&error, wait);
        shared.phase.send_replace(Phase::Down { rounds, error });
        tokio::time::sleep(wait).await;
    }
}

impl Shared {
    async fn connect(&self, node: &Target) -> Result<Connection> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let connecting = Connection::connect_uri(node.uri.clone(), properties);
        let asker = Asker { address: node.shown.clone(), timeout: self.config.connect_timeout };
        asker.ask(connecting).await
    }

    /// Uses and watches the connection until it is lost; returns how it was.
    async fn hold(&self, connection: Connection, address: &str) -> Error {
        let connection = Arc::new(connection);
        match self.purpose {
            Purpose::Receiving => self.watch(connection, address).await,
            Purpose::Sending => tokio::select! {
                error = self.watch(connection.clone(), address) => error,
                never = pulse(&connection) => match never {},
            },
        }
    }

    /// Keeps the phase true until the connection is lost; returns how it was.
    async fn watch(&self, connection: Arc<Connection>, address: &str) -> Error {
        // Taken at once, and once only: listeners share one queue.
        let mut events = connection.events_listener().boxed();
        let blocked = connection.status().blocked().then(|| "the broker is in an alarm".to_owned());
        let up = |blocked| Phase::Up { connection: connection.clone(), blocked };
        self.phase.send_replace(up(blocked));
        let mut reason = None;
        while connection.status().connected() {
            let event = tokio::select! {
                event = events.next() => event,
                () = tokio::time::sleep(LOOK) => continue,
            };
            match event {
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(address, reason = why, "the broker takes no messages");
                    self.phase.send_replace(up(Some(why)));
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!(address, "the broker takes messages again");
                    self.phase.send_replace(up(None));
                }
                // Errors of channels come here too; those of the connection come after its change of state.
                Some(Event::Error(error)) if !connection.status().connected() => reason = Some(why(&error)),
                Some(_) => {}
                None => tokio::time::sleep(LOOK).await,
            }
        }
        if reason.is_none()
            && let Ok(Some(Event::Error(error))) = tokio::time::timeout(LAST_WORDS, events.next()).await
        {
            reason = Some(why(&error));
        }
        let why = reason.unwrap_or_else(|| "closed".into());
        Error::Unavailable { address: address.into(), why: format!("the connection is lost: {why}") }
    }

    fn wait(&self, failures: usize, error: &Error) -> Duration {
        match error {
            Error::Refused { .. } | Error::Address { .. } => {
                let slow = self.config.retry_refused;
                backoff::wait(1, slow, slow)
            }
            Error::Unavailable { .. } => backoff::wait(failures, self.config.retry_min, self.config.retry_max),
        }
    }

    fn tell(&self, error: &Error, wait: Duration) {
        let (connection, retry_ms) = (self.name.as_str(), wait.as_millis());
        match error {
            Error::Refused { address, why } => {
                tracing::error!(address, why, connection, retry_ms, "refused by the broker");
            }
            Error::Unavailable { address, why } | Error::Address { address, why } => {
                tracing::warn!(address, why, connection, retry_ms, "no connection to the broker");
            }
        }
    }
}
