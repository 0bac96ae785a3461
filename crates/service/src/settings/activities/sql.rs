//! `kind = "sql"`: runs one statement on a PostgreSQL database.

use serde::{Deserialize, Serialize};

use super::{ACTIVITY_HOLES, Check, is_secret};
use crate::settings::SecretUrl;

/// An activity that runs a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SqlSettings {
    /// Its work-item queue, without the hub's name; empty: the activity's name.
    pub queue: String,
    /// The database, as `store.url` names one; `{env:NAME}` may stand for any part of it.
    pub url: SecretUrl,
    /// The statement, with `$1`, `$2` … for the parameters.
    pub statement: String,
    /// The parameters: texts with holes. A hole alone keeps its type.
    pub parameters: Vec<String>,
    /// The most connections of this activity.
    pub connections: u32,
    /// How long it may take, with the wait for a connection.
    pub timeout_seconds: u32,
    /// The most rows of a result.
    pub rows_max: u32,
    /// The largest result, in KiB.
    pub result_kilobytes_max: u32,
}

impl Default for SqlSettings {
    fn default() -> Self {
        Self {
            queue: String::new(),
            url: "".into(),
            statement: String::new(),
            parameters: Vec::new(),
            connections: 4,
            timeout_seconds: 30,
            rows_max: 1_000,
            result_kilobytes_max: 1024,
        }
    }
}

impl SqlSettings {
    pub(super) fn check(&self, check: &mut Check<'_>) {
        let url = self.url.as_str();
        if !["postgres://", "postgresql://", "{env:"].iter().any(|begin| url.starts_with(begin)) {
            let example = "must be {env:NAME}, or postgres://user:password@host/database";
            check.add("url", &format!("= {:?}, {example}", self.url));
        } else if !is_secret(url) {
            check.add("url", &format!("= {:?}, may have no holes but {{env:NAME}}", self.url));
        }
        if self.statement.trim().is_empty() {
            check.add("statement", "is empty, must be an SQL statement");
        }
        for parameter in &self.parameters {
            check.template("parameters", parameter, ACTIVITY_HOLES);
        }
        check.range("connections", self.connections, 1, 100);
        check.range("timeout_seconds", self.timeout_seconds, 1, 3_600);
        check.range("rows_max", self.rows_max, 1, 1_000_000);
        check.range("result_kilobytes_max", self.result_kilobytes_max, 1, 131_072);
    }
}
