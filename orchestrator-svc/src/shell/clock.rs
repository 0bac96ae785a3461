//! The database's clock, as well as this process knows it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use warren_model::Timestamp;

/// Tells the database's time between two readings of it, by this process's monotonic clock: no wall clock of ours
/// decides anything (H11). Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: Instant,
    /// The database's time at `base`, in microseconds since 1970.
    at_base: AtomicI64,
}

impl Clock {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(Arc::new(Inner { base: Instant::now(), at_base: AtomicI64::new(now.as_microsecond()) }))
    }

    /// Takes a fresh reading.
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.at_base.store(now.as_microsecond() - self.elapsed(), Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let micros = self.0.at_base.load(Ordering::Relaxed) + self.elapsed();
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.0.base.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}
