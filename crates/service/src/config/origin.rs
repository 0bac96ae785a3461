//! Where the value of each setting came from.

use std::collections::BTreeMap;

/// Where the values of settings came from; a key that is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// Returns where the value of `key` came from, e.g. `warren.toml` or `environment variable WARREN_BROKER__URL`.
    pub fn of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(super) fn set(&mut self, key: &str, origin: &str) {
        self.0.insert(key.into(), origin.into());
    }
}
