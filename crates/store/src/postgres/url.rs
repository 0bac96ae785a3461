//! What a URL says of the database: what tokio-postgres takes, and what it leaves to us.

use std::{error::Error as _, fmt};

use percent_encoding::percent_decode_str;
use tokio_postgres::{Config, config::SslMode};

use super::tls::Trust;
use crate::{Error, Result};

/// Longest name of a schema: PostgreSQL cuts what is longer, in silence.
const SCHEMA_BYTES_MAX: usize = 63;

/// Where a hub is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) trust: Trust,
    /// Only letters, digits, `_` and `-`, so that it needs no escaping inside quotes.
    pub(super) schema: String,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…&schema=…` and whatever else
    /// tokio-postgres knows. The schema is `warren_HUB` unless the URL names another.
    pub(super) fn parse(url: &str, hub: &str) -> Result<Self> {
        let wrong = |why: String| Error::Mismatch(format!("store.url is wrong: {why}"));
        let Place { config, trust, schema } = Place::parse(url).map_err(wrong)?;
        let schema = schema.unwrap_or_else(|| format!("warren_{hub}"));
        if schema.is_empty() || schema.len() > SCHEMA_BYTES_MAX || !is_plain(&schema) {
            return Err(wrong(format!(
                "schema {schema:?} must be 1 to {SCHEMA_BYTES_MAX} letters, digits, `_` and `-`: shorten hub.name, \
                 or name another with schema="
            )));
        }
        Ok(Self { config, trust, schema })
    }
}

/// Where a database is, whoever's.
pub(super) struct Place {
    pub(super) config: Config,
    pub(super) trust: Trust,
    /// Named by the URL.
    pub(super) schema: Option<String>,
}

impl Place {
    /// Reads a URL, or says what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (rest, ours) = split(url);
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            error.source().map_or_else(|| error.to_string(), ToString::to_string)
        })?;
        let (mode, trust) = encryption(&ours)?;
        config.ssl_mode(mode);
        Ok(Self { config, trust, schema: ours.schema })
    }
}

/// Returns whether a schema's name needs no escaping inside quotes.
pub(super) fn is_plain(schema: &str) -> bool {
    schema.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Names the schema and its database.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        write!(f, "schema {:?} of database {database:?}", self.schema)
    }
}

/// The parameters that tokio-postgres does not know, or not as PostgreSQL's users write them.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    root: Option<String>,
    schema: Option<String>,
}

/// Takes our parameters out of the URL.
fn split(url: &str) -> (String, Ours) {
    let Some((place, query)) = url.split_once('?') else { return (url.into(), Ours::default()) };
    let (mut ours, mut rest) = (Ours::default(), Vec::new());
    for parameter in query.split('&') {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = || Some(percent_decode_str(value).decode_utf8_lossy().into_owned());
        match key {
            "sslmode" => ours.mode = value(),
            "sslrootcert" => ours.root = value(),
            "schema" => ours.schema = value(),
            _ => rest.push(parameter),
        }
    }
    let rest = if rest.is_empty() { place.into() } else { format!("{place}?{}", rest.join("&")) };
    (rest, ours)
}

fn encryption(ours: &Ours) -> Result<(SslMode, Trust), String> {
    let (mode, trust) = match ours.mode.as_deref().unwrap_or("prefer") {
        "disable" => (SslMode::Disable, Trust::None),
        "prefer" => (SslMode::Prefer, Trust::Anybody),
        "require" => (SslMode::Require, Trust::Anybody),
        "verify-full" => (SslMode::Require, Trust::Roots(ours.root.clone().filter(|root| root != "system"))),
        "allow" => return Err("sslmode=allow is not served: use prefer, require or verify-full".into()),
        "verify-ca" => {
            return Err("sslmode=verify-ca is not served: use verify-full, which checks the host's name too".into());
        }
        other => return Err(format!("sslmode={other} is none: use disable, prefer, require or verify-full")),
    };
    match (&trust, &ours.root) {
        (Trust::None | Trust::Anybody, Some(_)) => {
            Err("sslrootcert is of use with sslmode=verify-full only: use that, or leave it out".into())
        }
        (Trust::None | Trust::Anybody | Trust::Roots(_), _) => Ok((mode, trust)),
    }
}

#[cfg(test)]
#[path = "url_test.rs"]
mod test;
