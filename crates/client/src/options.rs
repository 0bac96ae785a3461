//! How patient a client is.

use std::time::Duration;

/// How patient a client is, and how much it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long a command may take before its caller is told [`Timeout`](crate::Error::Timeout). Longer than a
    /// partition's takeover (5 s), so that a failover is a slow answer and no error.
    pub within: Duration,
    /// How long a command may stay unsent while the broker is away before its caller is told
    /// [`Unavailable`](crate::Error::Unavailable). Short: nothing is lost, and the caller may know another way.
    pub unsent_within: Duration,
    /// Largest payload that is sent, in bytes. The owner has a limit of its own; this one keeps a payload from closing
    /// the channel of all others (a broker takes 16 MiB by default).
    pub payload_bytes_max: usize,
    /// Whether commands that are ready at the same moment travel in one message, and their answers too. Nothing waits for
    /// that.
    pub packs: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            within: Duration::from_secs(15),
            unsent_within: Duration::from_secs(2),
            payload_bytes_max: 1024 * 1024,
            packs: true,
        }
    }
}
