//! The simulated clock: one for all, in microseconds since the simulation's beginning.

use std::{fmt, time::Duration};

use warren_model::Timestamp;

/// A millisecond, in the clock's unit.
pub(crate) const MS: u64 = 1_000;
/// A second, in the clock's unit.
pub(crate) const SECOND: u64 = 1_000_000;

/// When every simulation begins, in seconds since 1970.
const BEGINNING: i64 = 1_750_000_000;

/// A moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    /// Returns the moment so many microseconds later.
    pub(crate) fn after(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Moves to a moment, unless this is later, and returns where that is: of what keeps its order, when the next one comes.
    pub(crate) fn never_before(&mut self, at: Self) -> Self {
        *self = at.max(*self);
        *self
    }

    /// Returns how long ago `earlier` was, in microseconds.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the moment as this process's clock shows it, which lags by so many microseconds.
    pub(crate) fn shown(self, lag: u64) -> Timestamp {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX / 2) - i64::try_from(lag).unwrap_or(0);
        Timestamp::from_microsecond(BEGINNING * 1_000_000 + micros).unwrap_or(Timestamp::MAX)
    }

    /// Returns the moment as the database's clock shows it.
    pub(crate) fn timestamp(self) -> Timestamp {
        self.shown(0)
    }

    /// Returns the time since the beginning.
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:3}.{:06}", self.0 / SECOND, self.0 % SECOND)
    }
}
