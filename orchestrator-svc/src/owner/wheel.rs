//! Timers in memory: a cache of the store's, as far as a horizon (H11).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use warren_model::{ActionId, ExecutionId, InstanceId, Timestamp};
use warren_store::TimerRow;

/// How far ahead timers are kept in memory; those beyond cost nothing but their row.
const HORIZON: SignedDuration = SignedDuration::from_secs(300);

/// Timers that come due before the horizon.
#[derive(Debug)]
pub(super) struct Wheel {
    due: BTreeSet<(Timestamp, InstanceId, ExecutionId, ActionId)>,
    /// Every stored timer that comes due before this is in `due`.
    horizon: Timestamp,
    /// Up to where the store is being read.
    reading: Option<Timestamp>,
    /// Set if there were more timers than could be taken: read on when fewer than this are left.
    low: Option<usize>,
}

impl Wheel {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { due: BTreeSet::new(), horizon: now, reading: None, low: None }
    }

    /// Adds a timer that was just created; one beyond the horizon is read when its time is nearer.
    pub(super) fn add(&mut self, row: TimerRow) {
        if row.fire_at < self.horizon || self.reading.is_some_and(|until| row.fire_at < until) {
            self.due.insert((row.fire_at, row.instance, row.execution, row.id));
        }
    }

    /// Returns up to when timers must be read now, if the horizon has come near.
    pub(super) fn wants_more(&mut self, now: Timestamp) -> Option<Timestamp> {
        let is_stocked = match self.low {
            Some(low) => self.due.len() > low,
            None => self.horizon > now + HORIZON / 2,
        };
        if self.reading.is_some() || is_stocked {
            return None;
        }
        self.reading = Some(now + HORIZON);
        self.reading
    }

    /// Takes what was read; fewer than `limit` rows are all there are.
    pub(super) fn fill(&mut self, rows: Vec<TimerRow>, limit: usize) {
        let until = self.reading.take().unwrap_or(self.horizon);
        (self.horizon, self.low) = match rows.last() {
            Some(last) if rows.len() >= limit => (last.fire_at, Some(limit / 2)),
            Some(_) | None => (until, None),
        };
        self.due.extend(rows.into_iter().map(|row| (row.fire_at, row.instance, row.execution, row.id)));
    }

    /// Returns when the next timer comes due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Takes a timer that is due.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<TimerRow> {
        if self.next_due()? > now {
            return None;
        }
        let (fire_at, instance, execution, id) = self.due.pop_first()?;
        Some(TimerRow { instance, execution, id, fire_at })
    }
}

#[cfg(test)]
#[path = "wheel_test.rs"]
mod test;
