//! The settings that exist, read off the defaults, and the nearest one to a name that does not.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Every setting that exists, with its default.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known(BTreeMap<String, Value>);

impl Known {
    pub(super) fn of<T: Serialize>(settings: &T) -> Self {
        let tree = serde_json::to_value(settings).expect("settings are plain structs, which always serialize");
        let mut leaves = BTreeMap::new();
        collect("", tree, &mut leaves);
        Self(leaves)
    }

    /// Adds a section.
    pub(super) fn add(&mut self, section: &str, defaults: Value) {
        collect(section, defaults, &mut self.0);
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(super) fn is_section(&self, key: &str) -> bool {
        self.0.keys().any(|known| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Returns the setting that was probably meant.
    pub(super) fn nearest(&self, key: &str) -> Option<&str> {
        let farthest = (key.len() / 3).max(2);
        self.0
            .keys()
            .map(|known| (slips(key, known), strsim::damerau_levenshtein(key, known), known))
            .filter(|(slips, ..)| *slips <= farthest)
            .min()
            .map(|(.., known)| known.as_str())
    }
}

/// Counts the slips between two keys. Other separators are one slip, the right name in the wrong section two at most.
fn slips(key: &str, known: &str) -> usize {
    let name = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let plain = |key: &str| key.replace(['.', '-'], "_");
    let distance = strsim::damerau_levenshtein(key, known);
    if plain(key) == plain(known) {
        distance.min(1)
    } else if name(key) == name(known) {
        distance.min(2)
    } else {
        distance
    }
}

fn collect(section: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    let Value::Object(fields) = value else {
        leaves.insert(section.into(), value);
        return;
    };
    for (name, value) in fields {
        let key = if section.is_empty() { name } else { format!("{section}.{name}") };
        collect(&key, value, leaves);
    }
}
