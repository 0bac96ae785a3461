//! The worker's limits.

use std::{num::NonZeroU16, time::Duration};

/// What bounds a worker. The values come from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many activities run at a time, over all queues.
    pub concurrency: NonZeroU16,
    /// Largest result, in bytes.
    pub payload_bytes: usize,
    /// How long a drain may last.
    pub drain: Duration,
    /// For how long the worker may be silent about what it runs before others begin it.
    pub lease: Duration,
    /// For how long a work item stays unacknowledged while its activity runs, and the broker sees to it that it is not
    /// lost. Less than the broker allows.
    pub hold: Duration,
}
