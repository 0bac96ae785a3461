//! The end of a run: faults stop, and everything must come to rest.

use super::{Step, World};
use crate::{
    invariants::{self, Violation},
    time::{MS, SECOND, Time},
};

/// How long everything may take to come to rest once faults are over.
const REST_WITHIN: u64 = 900 * SECOND;
/// How long it must then stay so.
const STAYS: u64 = 3 * SECOND;
/// Most steps of a run: more mean that somebody spins.
const STEPS_MAX: u64 = 1_000_000;

impl World {
    /// Ends faults: what is frozen wakes, what is away comes back.
    pub(super) fn calm_down(&mut self) {
        self.calm_since = Some(self.now);
        self.profile = self.profile.quiet();
        self.broker.is_away = false;
        self.store_back_at = Time::default();
        for replica in 0..self.replicas.len() {
            if !self.replicas[replica].is_deployed {
                self.deploy(replica);
            }
        }
        self.note(format_args!("CALM"));
    }

    /// Checks what is expensive, and whether everything has come to rest.
    pub(super) fn look(&mut self) {
        let verdict = invariants::at_any_moment(self);
        self.judge(verdict);
        if self.steps > STEPS_MAX {
            return self
                .judge(Err(Violation::new("rest", format!("{} steps and no rest: somebody spins", self.steps))));
        }
        let pause = if self.calm_since.is_some() { 500 * MS } else { self.random.between(50 * MS, SECOND) };
        self.later(pause, Step::Look);
        if self.calm_since.is_some() {
            self.look_for_rest();
        }
    }

    fn look_for_rest(&mut self) {
        let unrest = invariants::rest::unrest(self);
        match (unrest, self.rested_at) {
            (None, Some(since)) if self.now.since(since) >= STAYS => {
                self.is_over = true;
                let verdict = invariants::at_rest(self);
                self.judge(verdict);
            }
            (None, Some(_)) => {}
            (None, None) => self.rested_at = Some(self.now),
            (Some(unrest), _) => {
                self.rested_at = None;
                if self.now.elapsed().as_micros() > u128::from(REST_WITHIN) {
                    self.judge(Err(Violation::new("rest", unrest)));
                }
            }
        }
    }
}
