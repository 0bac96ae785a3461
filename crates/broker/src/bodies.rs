//! How large the bodies of messages may be, and which of them travel apart from their messages.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Stands for every work-item queue.
pub(crate) const EVERY_QUEUE: &str = "*";

/// What bounds bodies. Between components of ours that share a payload store a larger body than `inline_bytes_max`
/// travels by reference; wherever else it goes inline, up to `bytes_max`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bodies {
    /// The largest body that the broker takes; it closes the channel over a larger one (its `max_message_size`, 16 MiB by
    /// default in RabbitMQ 4).
    pub bytes_max: usize,
    /// The largest body that travels with its message although it could travel apart.
    pub inline_bytes_max: usize,
    /// The work-item queues, without the hub's prefix, whose workers all have the payload store; `*`: every queue.
    pub claim_queues: BTreeSet<String>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { bytes_max: 16 << 20, inline_bytes_max: 256 << 10, claim_queues: BTreeSet::new() }
    }
}

impl Bodies {
    /// Returns whether the workers of a work-item queue take claims.
    pub fn has_claims(&self, queue: &str) -> bool {
        [EVERY_QUEUE, queue].iter().any(|name| self.claim_queues.contains(*name))
    }
}
