//! `[store]`: the database.

use serde::{Deserialize, Serialize};

use super::SecretUrl;
use crate::Problems;

/// Where instances rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The database: `sqlite:FILE` on a local disk, or `postgres://user:password@host:port/database`.
    pub url: SecretUrl,
}

/// Which database a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend<'a> {
    /// A SQLite file, for one orchestrator-svc.
    Sqlite(&'a str),
    /// A PostgreSQL database, for any number of them. The URL as it was given.
    Postgres(&'a SecretUrl),
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { url: "sqlite:warren.db".into() }
    }
}

impl StoreSettings {
    /// Returns which database it is; `None` if the URL names none that is known.
    pub fn backend(&self) -> Option<Backend<'_>> {
        let url = self.url.as_str();
        match url.strip_prefix("sqlite:") {
            Some(path) => Some(Backend::Sqlite(path)),
            None => POSTGRES.iter().any(|scheme| url.starts_with(scheme)).then_some(Backend::Postgres(&self.url)),
        }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let url = &self.url;
        let wrong = match self.backend() {
            Some(Backend::Sqlite("")) => "must name a file, e.g. sqlite:warren.db",
            Some(Backend::Postgres(url)) if POSTGRES.contains(&url.as_str()) => {
                "must name a server, e.g. postgres://user:password@host:5432/database"
            }
            Some(Backend::Sqlite(_) | Backend::Postgres(_)) => return,
            None => "must be sqlite:FILE, or postgres://user:password@host:5432/database",
        };
        problems.add("store.url", format!("store.url = {url:?}, {wrong}"));
    }
}

/// Both are in use; they mean the same.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
