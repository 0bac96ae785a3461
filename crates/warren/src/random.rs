//! Random numbers that come out the same in every replay.

use std::ops::{Bound, RangeBounds};

use warren_model::{ActionId, ExecutionId};

/// `SplitMix64`: the generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014), with
/// the constants of Vigna's public-domain version. Small, fast, good enough for jitter and samples; never for secrets.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// Returns the stream of an execution.
    pub(crate) fn of_execution(execution: ExecutionId) -> Self {
        let id = execution.as_u128();
        #[expect(clippy::cast_possible_truncation, reason = "both halves of the id are mixed")]
        Self((id >> 64) as u64 ^ id as u64)
    }

    /// Returns a stream of one attempt of one action, so that a number more in the user's code moves no retry.
    pub(crate) fn of_attempt(execution: ExecutionId, first: ActionId, attempt: u32) -> Self {
        let mut stream = Self::of_execution(execution);
        let start = stream.next();
        Self(start ^ (u64::from(first.0) << 32 | u64::from(attempt)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 up to and without 1: the 53 bits that an `f64` holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns a number of the range. The bias is below (size of the range) / 2^64.
    pub(crate) fn within(&mut self, range: &impl RangeBounds<u64>) -> u64 {
        let first = match range.start_bound() {
            Bound::Included(first) => u128::from(*first),
            Bound::Excluded(before) => u128::from(*before) + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => u128::from(*last) + 1,
            Bound::Excluded(end) => u128::from(*end),
            Bound::Unbounded => 1 << 64,
        };
        assert!(first < end, "a random number of an empty range was asked for");
        let offset = (u128::from(self.next()) * (end - first)) >> 64;
        u64::try_from(first + offset).expect("a number below the end of a range of u64 is a u64")
    }
}

#[cfg(test)]
#[path = "random_test.rs"]
mod test;
