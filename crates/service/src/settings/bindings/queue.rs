//! `kind = "queue"`: messages of another system's queue.

use serde::{Deserialize, Serialize};

use super::MappingSettings;
use crate::settings::{
    SecretUrl,
    activities::{Check, is_secret},
};

/// Longest name of a queue, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Messages of another system's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueBindingSettings {
    /// The broker, with `{env:NAME}` for any part; empty: `broker.url`.
    pub url: SecretUrl,
    /// The queue, which its owner has declared.
    pub queue: String,
    /// How many messages are under way at a time.
    pub prefetch: u32,
    /// The queue for what does not fit or is refused; empty: it is rejected, and goes where its queue says.
    pub dead_letter: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub mapping: MappingSettings,
}

impl Default for QueueBindingSettings {
    fn default() -> Self {
        Self {
            url: "".into(),
            queue: String::new(),
            prefetch: 100,
            dead_letter: String::new(),
            mapping: MappingSettings::default(),
        }
    }
}

impl QueueBindingSettings {
    pub(super) fn check(&self, hub: &str, check: &mut Check<'_>) {
        let url = self.url.as_str();
        let begins_well = ["amqp://", "amqps://", "{env:"].iter().any(|begin| url.starts_with(begin));
        if !(url.is_empty() || begins_well && is_secret(url)) {
            let example = "must be empty, {env:NAME}, or amqp://user:password@host/vhost";
            check.add("url", &format!("= {:?}, {example}", self.url));
        }
        if self.queue.is_empty() || self.queue.len() > NAME_BYTES_MAX {
            check.add("queue", &format!("= {:?}, must name a queue", self.queue));
        }
        // Whoever takes their messages away stops the hub.
        for (setting, queue) in [("queue", &self.queue), ("dead_letter", &self.dead_letter)] {
            if queue.starts_with(&format!("{hub}.")) {
                check.add(setting, &format!("= {queue:?}, which is a queue of the hub: name one of another system"));
            }
        }
        if !self.dead_letter.is_empty() && self.dead_letter == self.queue {
            check.add("dead_letter", "is the queue itself: name another, or none");
        }
        check.range("prefetch", self.prefetch, 1, 10_000);
        self.mapping.check(check);
    }
}
