//! How long to wait before asking again.

use std::time::Duration;

/// The first wait for an answer: long against a commit, so that an answer that is only slow is not asked for twice.
const ANSWER_FIRST: Duration = Duration::from_secs(2);
/// The longest one: a waiter of a partition that failed over is known again to its new owner after so long at most.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// The first wait after the broker did not take a message.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// The longest one.
const RETRY_MAX: Duration = Duration::from_secs(2);
/// The first wait after the broker could not be reached.
const CONNECT_FIRST: Duration = Duration::from_millis(100);
/// The longest one.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Returns how long to wait for the answer to a message that was sent `attempt` times.
pub(crate) fn answer(attempt: u32, seed: u64) -> Duration {
    scatter(grow(ANSWER_FIRST, ANSWER_MAX, attempt), seed)
}

/// Returns how long to wait before a message that the broker did not take is sent again.
pub(crate) fn retry(attempt: u32, seed: u64) -> Duration {
    scatter(grow(RETRY_FIRST, RETRY_MAX, attempt), seed)
}

/// Returns how long to wait before the broker is called again.
pub(crate) fn connect(attempt: u32, seed: u64) -> Duration {
    scatter(grow(CONNECT_FIRST, CONNECT_MAX, attempt), seed)
}

/// Doubles with each attempt, from 1.
fn grow(first: Duration, max: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(max)
}

/// Spreads what would else happen at the same moment over four fifths to six fifths of the time (H22).
fn scatter(delay: Duration, seed: u64) -> Duration {
    // Fibonacci hashing: the top bits of neighbouring seeds are far apart.
    let percent = 80 + (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 41;
    delay * u32::try_from(percent).expect("a percentage is small") / 100
}

#[cfg(test)]
#[path = "pace_test.rs"]
mod test;
