//! `[hub]`: the task hub.

use serde::{Deserialize, Serialize};

use crate::Problems;

/// Longest name of a hub, in bytes: it stands in front of each queue's name and names the store's schema.
const NAME_BYTES_MAX: usize = 40;
/// Most partitions: a queue's name has two digits for them, and more than this costs throughput everywhere.
const PARTITIONS_MAX: u64 = 99;
/// Largest payload limit, in MiB. A turn is one row with what came in, what was asked for and how it ended, and rows stay
/// well below the gigabyte that the databases allow.
const PAYLOAD_MEGABYTES_MAX: u64 = 128;

/// The task hub, the same for every service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSettings {
    /// Its name: a prefix of queue names, and the schema in the store.
    pub name: String,
    /// How many partitions it has; fixed once the hub is made.
    pub partitions: u16,
    /// Largest payload (an input, a result, an event's data), in MiB.
    pub payload_megabytes_max: u32,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self { name: "warren".into(), partitions: 4, payload_megabytes_max: 4 }
    }
}

impl HubSettings {
    /// Returns the payload limit in bytes.
    pub fn payload_bytes_max(&self) -> usize {
        self.payload_megabytes_max as usize * 1024 * 1024
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        let name = &self.name;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(allowed) {
            problems.add(
                "hub.name",
                format!("hub.name = {name:?}, must be 1 to {NAME_BYTES_MAX} letters, digits, `_` and `-`"),
            );
        }
        if name == "amq" {
            problems
                .add("hub.name", "hub.name = \"amq\", must be another: the broker keeps names that begin with amq.");
        }
        problems.range("hub.partitions", self.partitions, 1, PARTITIONS_MAX);
        problems.range("hub.payload_megabytes_max", self.payload_megabytes_max, 1, PAYLOAD_MEGABYTES_MAX);
    }
}
