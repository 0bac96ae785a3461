//! How long to wait before the next try. Pure: the caller brings the chance and does the waiting.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Exponential waits with jitter, so that a fleet that lost its broker at one moment does not come back at one moment.
///
/// Wait number `n` lies between half of `first × 2ⁿ` and all of it, capped at `max`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    tries: u32,
}

impl Backoff {
    /// Returns waits that begin at `first` and never exceed `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, tries: 0 }
    }

    /// Returns the next wait; `chance` lies in 0..1 (see [`chance`]).
    #[must_use]
    pub fn next(&mut self, chance: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.tries);
        self.tries = self.tries.saturating_add(1);
        let whole = self.first.saturating_mul(factor).min(self.max);
        whole.div_f64(2.0) + whole.div_f64(2.0).mul_f64(chance.clamp(0.0, 1.0))
    }

    /// Begins anew; to be called once a try has succeeded.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// Returns how many waits were given out since the last success.
    pub fn tries(&self) -> u32 {
        self.tries
    }
}

/// Returns a number in 0..1, different at each call and in each process; good enough for jitter and for nothing else.
pub fn chance() -> f64 {
    // Each `RandomState` has keys of its own, seeded by the system.
    let bits = RandomState::new().build_hasher().finish() >> 32;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit an f64 exactly")]
    let numerator = bits as f64;
    numerator / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "backoff_test.rs"]
mod test;
