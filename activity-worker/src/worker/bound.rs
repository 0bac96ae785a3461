//! How many may run at a time, and how many begin in a minute, of what is counted together.

use std::time::Duration;

use super::turns::Turns;

/// What holds for items that are counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// How many run at a time.
    pub limit: Option<u16>,
    /// How many begin in a minute.
    pub per_minute: Option<u32>,
}

impl Bound {
    /// Returns whether anything holds.
    pub(super) fn holds(self) -> bool {
        self.limit.is_some() || self.per_minute.is_some()
    }
}

/// What is counted together, under a bound.
#[derive(Debug)]
pub(super) struct Count {
    limit: Option<u16>,
    rate: Option<Rate>,
    /// How many are begun and not over.
    pub(super) begun: usize,
    /// Whose turn it is within: of what is counted together, no lane may begin while what others may is full of turns.
    pub(super) turns: Turns,
}

impl Count {
    pub(super) fn new(Bound { limit, per_minute }: Bound) -> Self {
        Self { limit, rate: per_minute.map(Rate::new), begun: 0, turns: Turns::default() }
    }

    /// Returns whether another one may begin.
    pub(super) fn has_room(&self, now: Duration) -> bool {
        let is_below = self.limit.is_none_or(|limit| self.begun < limit.into());
        is_below && self.rate.as_ref().is_none_or(|rate| rate.has_one(now))
    }

    /// Notes that the rate let one begin.
    pub(super) fn spend(&mut self, now: Duration) {
        self.rate.iter_mut().for_each(|rate| rate.take(now));
    }
}

/// How often something may begin: a bucket that fills evenly, and holds what a tick of the clock may have missed.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    holds: f64,
    tokens: f64,
    at: Duration,
}

impl Rate {
    fn new(per_minute: u32) -> Self {
        let per_second = f64::from(per_minute) / 60.0;
        let holds = (per_second / 10.0).max(1.0);
        Self { per_second, holds, tokens: 1.0, at: Duration::ZERO }
    }

    fn has_one(&self, now: Duration) -> bool {
        self.tokens_at(now) >= 1.0
    }

    fn take(&mut self, now: Duration) {
        self.tokens = self.tokens_at(now) - 1.0;
        self.at = now;
    }

    fn tokens_at(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (self.tokens + passed * self.per_second).min(self.holds)
    }
}

#[cfg(test)]
#[path = "bound_test.rs"]
mod test;
