//! `kind = "stream"`: messages of another system's stream.

use serde::{Deserialize, Serialize};

use super::QueueBindingSettings;
use crate::settings::activities::Check;

/// Longest name of a binding: it ends the name of a queue, and message ids begin with it.
const NAME_BYTES_MAX: usize = 100;

/// Messages of another system's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamBindingSettings {
    /// Where reading begins the first time: `first`, `next`, or a time as 2026-01-31T12:00:00Z.
    pub from: String,
    /// The stream, and what becomes of its messages.
    #[serde(flatten)]
    pub source: QueueBindingSettings,
}

impl Default for StreamBindingSettings {
    fn default() -> Self {
        Self { from: "next".into(), source: QueueBindingSettings::default() }
    }
}

impl StreamBindingSettings {
    pub(super) fn check(&self, name: &str, hub: &str, check: &mut Check<'_>) {
        if name.len() > NAME_BYTES_MAX {
            check.add("kind", &format!("= \"stream\" needs a shorter name, at most {NAME_BYTES_MAX} bytes"));
        }
        if self.from.is_empty() {
            check.add("from", "is empty, must be first, next, or a time as 2026-01-31T12:00:00Z");
        }
        self.source.check(hub, check);
    }
}
