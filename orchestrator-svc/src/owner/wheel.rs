//! Timers in memory: a cache of the store's, as far as a horizon (H11).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use warren_model::{ActionId, ExecutionId, InstanceId, Timestamp};
use warren_store::TimerRow;

/// How far ahead timers are kept in memory; those beyond cost nothing but their row.
const HORIZON: SignedDuration = SignedDuration::from_secs(300);

type Due = (Timestamp, InstanceId, ExecutionId, ActionId);

/// Timers that come due before the horizon.
#[derive(Debug)]
pub(super) struct Wheel {
    due: BTreeSet<Due>,
    /// Most timers in memory.
    max: usize,
    /// Every stored timer that comes due before this is in `due`, and none that comes due after it.
    horizon: Timestamp,
    /// Up to where the store is being read.
    reading: Option<Timestamp>,
    /// Set if there are more timers than `max`: the horizon is near, and they are read when half of these are left.
    is_cut: bool,
}

impl Wheel {
    pub(super) fn new(now: Timestamp, max: usize) -> Self {
        Self { due: BTreeSet::new(), max, horizon: now, reading: None, is_cut: false }
    }

    /// Adds a timer that was just created; one beyond the horizon is read when its time is nearer.
    pub(super) fn add(&mut self, row: TimerRow) {
        if row.fire_at < self.horizon || self.reading.is_some_and(|until| row.fire_at < until) {
            self.due.insert((row.fire_at, row.instance, row.execution, row.id));
            // While the store is read, nothing is dropped that the reading may not have seen.
            if self.reading.is_none() {
                self.cut();
            }
        }
    }

    /// Returns up to when timers must be read now, if the horizon has come near.
    pub(super) fn wants_more(&mut self, now: Timestamp) -> Option<Timestamp> {
        let is_stocked = if self.is_cut { self.due.len() > self.max / 2 } else { self.horizon > now + HORIZON / 2 };
        if self.reading.is_some() || is_stocked {
            return None;
        }
        self.reading = Some(now + HORIZON);
        self.reading
    }

    /// Takes what was read: the soonest, `max` of them or all that there are.
    pub(super) fn fill(&mut self, rows: Vec<TimerRow>) {
        let until = self.reading.take().unwrap_or(self.horizon);
        let last = rows.last().filter(|_| rows.len() >= self.max).map(|last| last.fire_at);
        (self.horizon, self.is_cut) = (last.unwrap_or(until), last.is_some());
        self.due.extend(rows.into_iter().map(|row| (row.fire_at, row.instance, row.execution, row.id)));
        while self.is_cut && self.due.last().is_some_and(|(at, ..)| *at > self.horizon) {
            self.due.pop_last();
        }
        self.cut();
    }

    /// Leaves those that are more than `max` to the store.
    fn cut(&mut self) {
        while self.due.len() > self.max {
            let Some((at, ..)) = self.due.pop_last() else { break };
            (self.horizon, self.is_cut) = (at, true);
        }
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
