//! Where to begin to connect, and how long to wait before another attempt.

use std::time::Duration;

use uuid::Uuid;

/// Returns the wait after this many failures in a row (from 1): doubling, at most `max`, and somewhere in its upper
/// half, so that a fleet does not come back in step (H22).
pub(super) fn wait(failures: usize, min: Duration, max: Duration) -> Duration {
    jitter(min.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(max), Uuid::new_v4())
}

/// Returns any number below `count`, so that a fleet spreads over the nodes of a cluster.
pub(super) fn any(count: usize) -> usize {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    usize::from(low as u16) % count
}

fn jitter(wait: Duration, random: Uuid) -> Duration {
    let (_, low) = random.as_u64_pair();
    // The low half of a random UUID has 62 random bits.
    let share = (low & 0xffff) as f64 / f64::from(0xffff);
    wait.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
#[path = "backoff_test.rs"]
mod test;
