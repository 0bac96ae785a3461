//! `[payloads]`: large payloads, which travel apart from their messages.

use serde::{Deserialize, Serialize};

use super::{Backend, SecretUrl, StoreSettings};
use crate::Problems;

/// What travels by reference, and who takes it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PayloadsSettings {
    /// Largest body, in KiB, that travels with its message between components that share the payload store.
    pub inline_kilobytes_max: u32,
    /// The work-item queues, without the hub's name, whose workers all have `store`; `*`: every queue.
    pub queues: Vec<String>,
    /// For workers: the hub's `store.url`, so that they take and give large payloads by reference; empty: they don't.
    pub store: SecretUrl,
}

impl Default for PayloadsSettings {
    fn default() -> Self {
        Self { inline_kilobytes_max: 256, queues: Vec::new(), store: "".into() }
    }
}

impl PayloadsSettings {
    /// Returns the largest body that travels with its message, in bytes.
    pub fn inline_bytes_max(&self) -> usize {
        self.inline_kilobytes_max as usize * 1024
    }

    /// Returns where workers find the hub's payloads, if they do.
    pub fn store(&self) -> Option<StoreSettings> {
        (!self.store.as_str().is_empty()).then(|| StoreSettings { url: self.store.clone() })
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        // Below a few KiB the claim costs more than it saves; a message is no place for more than a few MiB.
        problems.range("payloads.inline_kilobytes_max", self.inline_kilobytes_max, 4, 8 * 1024);
        if let Some(queue) = self.queues.iter().find(|queue| queue.trim().is_empty()) {
            problems.add("payloads.queues", format!("payloads.queues names {queue:?}, must be names of queues, or *"));
        }
        let store = self.store();
        let is_good = |store: &StoreSettings| {
            matches!(store.backend(), Some(Backend::Sqlite(path)) if !path.is_empty())
                || matches!(store.backend(), Some(Backend::Postgres(_)))
        };
        if !store.as_ref().is_none_or(is_good) {
            let url = &self.store;
            problems.add("payloads.store", format!("payloads.store = {url:?}, must be as store.url, or empty"));
        }
    }
}
