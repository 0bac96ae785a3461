//! Connections, by what they are for.

use std::time::Duration;

use deadpool::managed::QueueMode;
use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use super::{
    tls::{self, Trust},
    url::{Address, Place, is_plain},
};
use crate::Result;

/// How long to wait for a connection, new or free: half of a lease, so that an owner who waits can still renew.
const WAIT: Duration = Duration::from_secs(2);
/// After how long without a word from the server its host is asked whether it lives, and how often, and for how long.
const SILENCE: Duration = Duration::from_secs(5);
const SILENCE_STEP: Duration = Duration::from_secs(2);
/// After how long what was sent and never acknowledged breaks the connection, …
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// … where it may wait behind a statement: longer than that may take.
const UNACKNOWLEDGED_BEHIND: Duration = Duration::from_secs(35);
/// After how many seconds the server ends a transaction whose owner says nothing: below every lease (3 s at least).
const IDLE_SECONDS: u32 = 2;

/// What connections are for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// Making the tables: one connection, for as long as that takes.
    Migration,
    /// Leases: apart from all else, so that no renewal waits for a connection. Few and short.
    Leases,
    /// An owner's reads and commits.
    Turns,
    /// Clients' reads.
    Queries,
    /// Large payloads, which take long: apart from all else.
    Payloads,
}

impl Use {
    /// The most connections of one process.
    fn connections(self) -> usize {
        match self {
            Self::Migration => 1,
            Self::Leases => 2,
            Self::Payloads => 4,
            Self::Turns | Self::Queries => 8,
        }
    }

    /// How long what was sent may stay unacknowledged.
    fn unacknowledged(self) -> Duration {
        match self {
            Self::Turns => UNACKNOWLEDGED_BEHIND,
            Self::Migration | Self::Leases | Self::Queries | Self::Payloads => UNACKNOWLEDGED,
        }
    }

    /// The settings of its sessions, as PostgreSQL's `options` take them.
    ///
    /// Turns find everything by key. Their plans are made once, perhaps while the tables are empty: then the planner finds
    /// it cheaper to read a table, or a partition's whole part of an index, and would go on doing so for a million rows.
    /// So it may not scan tables, and each row is looked up in a LATERAL subquery of its own, which `OFFSET 0` keeps from
    /// being merged into the rest. Clients' queries are few, and planned each time.
    fn options(self) -> String {
        let set = match self {
            Self::Migration => "-c client_min_messages=warning",
            Self::Leases => "-c statement_timeout=3s",
            Self::Turns => "-c statement_timeout=30s -c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
            Self::Queries => "-c statement_timeout=30s -c default_transaction_read_only=on",
            Self::Payloads => "-c statement_timeout=60s -c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
        };
        format!(
            "-c jit=off -c default_transaction_isolation=read\\ committed \
             -c idle_in_transaction_session_timeout={IDLE_SECONDS}s {set}"
        )
    }
}

/// Returns a pool; it connects when it is first used.
pub(super) fn pool(address: &Address, purpose: Use) -> Result<Pool> {
    let mut config = address.config.clone();
    let own = config.get_options().unwrap_or_default();
    config.options(format!("{own} -c search_path=\"{}\" {}", address.schema, purpose.options()));
    build(config, &address.trust, purpose.connections(), Some(WAIT), purpose.unacknowledged())
}

/// Returns a pool of connections to a database that is no hub's, for statements of others; it connects when it is first
/// used. Whoever asks for a connection waits for a free one as long as he likes. The URL is as a hub's, and `schema=` is the
/// session's; a statement takes at most `statement_timeout`.
pub fn foreign(url: &str, connections: usize, statement_timeout: Duration) -> Result<Pool, String> {
    let Place { mut config, trust, schema } = Place::parse(url)?;
    let own = config.get_options().unwrap_or_default();
    let path = match &schema {
        Some(schema) if is_plain(schema) => format!("-c search_path=\"{schema}\""),
        Some(schema) => return Err(format!("schema {schema:?} must be letters, digits, `_` and `-`")),
        None => String::new(),
    };
    config.options(format!("{own} {path} -c statement_timeout={}", statement_timeout.as_millis()));
    build(config, &trust, connections, None, UNACKNOWLEDGED).map_err(|error| error.to_string())
}

fn build(
    mut config: Config,
    trust: &Trust,
    connections: usize,
    wait: Option<Duration>,
    unacknowledged: Duration,
) -> Result<Pool> {
    if config.get_application_name().is_none() {
        config.application_name("warren");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(WAIT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(unacknowledged);
    }
    config.keepalives_idle(SILENCE).keepalives_interval(SILENCE_STEP).keepalives_retries(3);
    let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls::connector(trust)? {
        Some(tls) => Manager::from_config(config, tls, manage),
        None => Manager::from_config(config, NoTls, manage),
    };
    let pool = Pool::builder(manager)
        .max_size(connections)
        // The connection that was used last has what it needs in its processor's caches, and its server process too.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(wait)
        .create_timeout(Some(2 * WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .expect("a pool with a runtime may have timeouts");
    Ok(pool)
}

/// Closes the connection instead of giving it back: it may be inside a transaction.
pub(super) fn discard(client: Client) {
    drop(Client::take(client));
}

#[cfg(test)]
#[path = "pool_test.rs"]
mod test;
