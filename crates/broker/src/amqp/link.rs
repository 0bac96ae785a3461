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
    address::Target,
    backoff,
    error::{Asker, why},
};
use crate::{Error, Health, Result};

/// A connection that lived this long was no failure: the next wait is the shortest again.
const LIVED: Duration = Duration::from_secs(10);

/// How often the state is looked at besides events: lapin tells nobody of a connection that was closed politely.
const LOOK: Duration = Duration::from_millis(500);

/// How long after the end of a connection its reason may come.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// One kept connection. Dropping it closes the connection, once its channels are gone too.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    keeper: OnceLock<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    uri: lapin::uri::AMQPUri,
    name: String,
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
    /// How many attempts have failed so far, and how the last one did (or how the connection was lost).
    Down {
        attempts: u64,
        error: Error,
    },
}

impl Phase {
    fn attempts(&self) -> u64 {
        match self {
            Self::Idle | Self::Up { .. } => 0,
            Self::Down { attempts, .. } => *attempts,
        }
    }
}

impl Link {
    pub(super) fn new(config: &AmqpConfig, target: &Target, purpose: &str) -> Self {
        let shared = Shared {
            uri: target.uri.clone(),
            name: format!("{} {purpose}", config.name),
            asker: Asker { address: target.shown.clone(), timeout: config.answer_timeout },
            config: config.clone(),
            phase: watch::Sender::new(Phase::Idle),
        };
        Self { shared: Arc::new(shared), keeper: OnceLock::new() }
    }

    pub(super) fn asker(&self) -> &Asker {
        &self.shared.asker
    }

    pub(super) fn is_used(&self) -> bool {
        self.keeper.get().is_some()
    }

    /// Opens a channel. Waits for the connection, and fails with the next attempt that fails, so that a caller that
    /// tries again and again does so at the keeper's pace.
    pub(super) async fn channel(&self) -> Result<Channel> {
        self.keeper.get_or_init(|| tokio::spawn(keep(self.shared.clone())));
        let connection = self.connection().await?;
        let opened = self.shared.asker.ask(connection.create_channel()).await;
        opened.map_err(|error| match self.health() {
            // Nothing is written to a blocked connection, so that no answer is no wonder.
            Some(Health::Blocked(why)) => self.asker().unavailable(format!("it takes no messages: {why}")),
            Some(Health::Up | Health::Down(_)) | None => error,
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
        let seen = phases.borrow().attempts();
        let settled = phases.wait_for(|phase| match phase {
            Phase::Idle => false,
            Phase::Up { .. } => true,
            Phase::Down { attempts, .. } => *attempts > seen,
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

/// Connects, watches until the connection is lost, waits, and connects again.
async fn keep(shared: Arc<Shared>) {
    let mut attempts = 0;
    let mut failures = 0;
    loop {
        let error = match shared.connect().await {
            Ok(connection) => {
                let since = Instant::now();
                tracing::info!(address = shared.asker.address, connection = shared.name, "connected to the broker");
                let error = shared.watch(connection).await;
                failures = if since.elapsed() >= LIVED { 0 } else { failures };
                error
            }
            Err(error) => {
                attempts += 1;
                error
            }
        };
        failures += 1;
        let wait = shared.wait(failures, &error);
        shared.tell(&error, wait);
        shared.phase.send_replace(Phase::Down { attempts, error });
        tokio::time::sleep(wait).await;
    }
}

impl Shared {
    async fn connect(&self) -> Result<Connection> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let connecting = Connection::connect_uri(self.uri.clone(), properties);
        let asker = Asker { address: self.asker.address.clone(), timeout: self.config.connect_timeout };
        asker.ask(connecting).await
    }

    /// Keeps the phase true until the connection is lost; returns how it was.
    async fn watch(&self, connection: Connection) -> Error {
        // Taken at once, and once only: listeners share one queue.
        let mut events = connection.events_listener().boxed();
        let connection = Arc::new(connection);
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
                    tracing::warn!(address = self.asker.address, reason = why, "the broker takes no messages");
                    self.phase.send_replace(up(Some(why)));
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!(address = self.asker.address, "the broker takes messages again");
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
        self.asker.unavailable(format!("the connection is lost: {why}"))
    }

    fn wait(&self, failures: u32, error: &Error) -> Duration {
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
