//! Durations by name. A day is 24 hours; for calendar days compute a [`Timestamp`](crate::Timestamp).

use std::time::Duration;

/// Returns `n` seconds.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Returns `n` minutes.
pub const fn minutes(n: u64) -> Duration {
    seconds(n.saturating_mul(60))
}

/// Returns `n` hours.
pub const fn hours(n: u64) -> Duration {
    minutes(n.saturating_mul(60))
}

/// Returns `n` times 24 hours.
pub const fn days(n: u64) -> Duration {
    hours(n.saturating_mul(24))
}
