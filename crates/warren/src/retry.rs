//! Retry policies: how often, how soon, and for which failures something is tried again.

use std::time::Duration;

use warren_model::{ActionId, ExecutionId, Failure};

use crate::random::SplitMix64;

/// Says how a call is repeated after a failure. The waits are durable timers: they survive a restart and hold no thread.
///
/// ```
/// use warren::{RetryPolicy, minutes, seconds};
///
/// let patient = RetryPolicy::times(8).first_delay(seconds(5)).longest_delay(minutes(10)).not_for("card_declined");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How many attempts there are at most, the first one included.
    pub attempts: u32,
    /// How long to wait after the first attempt.
    pub first_delay: Duration,
    /// By what each wait is longer than the one before.
    pub coefficient: f64,
    /// The longest wait.
    pub longest_delay: Duration,
    /// After how long no further attempt begins, counted from the call.
    pub total_time: Option<Duration>,
    /// Up to which share of a wait is taken off it, 0 to 1, so that calls that failed together don't come back together.
    pub jitter: f64,
    /// Codes of failures that are not tried again.
    pub non_retryable: Vec<String>,
}

impl Default for RetryPolicy {
    /// Three attempts; see [`RetryPolicy::times`].
    fn default() -> Self {
        Self::times(3)
    }
}

impl RetryPolicy {
    /// Returns a policy of so many attempts, the first one included: waits of 1 s, 2 s, 4 s … up to a minute, each up
    /// to a fifth shorter by chance.
    pub fn times(attempts: u32) -> Self {
        Self {
            attempts,
            first_delay: Duration::from_secs(1),
            coefficient: 2.0,
            longest_delay: Duration::from_secs(60),
            total_time: None,
            jitter: 0.2,
            non_retryable: Vec::new(),
        }
    }

    /// Sets how long to wait after the first attempt.
    #[must_use]
    pub fn first_delay(self, first_delay: Duration) -> Self {
        Self { first_delay, ..self }
    }

    /// Sets by what each wait is longer than the one before; 1 for waits of the same length.
    #[must_use]
    pub fn coefficient(self, coefficient: f64) -> Self {
        Self { coefficient, ..self }
    }

    /// Sets the longest wait.
    #[must_use]
    pub fn longest_delay(self, longest_delay: Duration) -> Self {
        Self { longest_delay, ..self }
    }

    /// Sets after how long no further attempt begins, counted from the call.
    #[must_use]
    pub fn total_time(self, total_time: Duration) -> Self {
        Self { total_time: Some(total_time), ..self }
    }

    /// Sets up to which share of a wait is taken off it, 0 to 1.
    #[must_use]
    pub fn jitter(self, jitter: f64) -> Self {
        Self { jitter, ..self }
    }

    /// Adds the code of a failure that is not tried again.
    #[must_use]
    pub fn not_for(mut self, code: impl Into<String>) -> Self {
        self.non_retryable.push(code.into());
        self
    }

    /// Returns whether a failure of this attempt may be tried again at all.
    pub(crate) fn allows(&self, attempt: u32, failure: &Failure) -> bool {
        failure.retryable && attempt < self.attempts && !self.non_retryable.contains(&failure.code)
    }

    /// Returns the wait after an attempt, in whole milliseconds.
    ///
    /// Only the four basic operations of IEEE 754 are used, whose results no machine may vary.
    pub(crate) fn delay(&self, execution: ExecutionId, first: ActionId, attempt: u32) -> Duration {
        let longest = self.longest_delay.as_secs_f64();
        let mut seconds = self.first_delay.as_secs_f64();
        for _ in 1..attempt {
            seconds *= self.coefficient;
            if !(0.0..longest).contains(&seconds) {
                break;
            }
        }
        // A coefficient that is no number, or that grows beyond all bounds, gives the longest wait.
        let seconds = if (0.0..longest).contains(&seconds) { seconds } else { longest };
        let jitter = if self.jitter.is_finite() { self.jitter.clamp(0.0, 1.0) } else { 0.0 };
        let chance = SplitMix64::of_attempt(execution, first, attempt).fraction();
        milliseconds(seconds * (1.0 - jitter * chance))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a wait is not negative"
)]
fn milliseconds(seconds: f64) -> Duration {
    Duration::from_millis((seconds * 1000.0).round() as u64)
}

#[cfg(test)]
#[path = "retry_test.rs"]
mod test;
