//! `[store]`: the database.

use serde::{Deserialize, Serialize};

use super::SecretUrl;
use crate::Problems;

/// Where instances rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The database, e.g. `sqlite:warren.db`: a file, on a local disk.
    pub url: SecretUrl,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { url: "sqlite:warren.db".into() }
    }
}

impl StoreSettings {
    /// Returns the file of an SQLite store.
    pub fn sqlite_path(&self) -> Option<&str> {
        self.url.as_str().strip_prefix("sqlite:")
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let url = &self.url;
        let wrong = match self.sqlite_path() {
            Some("") => "must name a file, e.g. sqlite:warren.db",
            Some(_) => return,
            None if url.as_str().starts_with("postgres") => {
                "PostgreSQL is not served by this version yet, use sqlite:FILE"
            }
            None => "must be sqlite:FILE, e.g. sqlite:warren.db",
        };
        problems.add("store.url", format!("store.url = {url:?}, {wrong}"));
    }
}
