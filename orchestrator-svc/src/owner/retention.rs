//! Instances that ended long ago go by themselves, if the hub's owner wants that.

use jiff::SignedDuration;
use warren_engine::Programs;
use warren_model::{ExecutionId, InstanceId, InstanceRecord, Timestamp};
use warren_store::{Sweep, Swept};

use super::{Effect, Owner, batch::Work, gather::Item};

/// The pause before the next page.
const AGAIN: SignedDuration = SignedDuration::from_millis(100);
/// The pause after the last page: retention is reckoned in days.
const ROUND: SignedDuration = SignedDuration::from_hours(1);

/// How far the owner is with looking for them.
#[derive(Debug)]
pub(super) struct Retention {
    next_at: Timestamp,
    after: Option<InstanceId>,
    is_reading: bool,
}

impl Retention {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next_at: now + AGAIN, after: None, is_reading: false }
    }
}

impl<P: Programs> Owner<P> {
    /// Asks for the next page, if it is time.
    pub(super) fn look_for_outlived(&mut self, effects: &mut Vec<Effect>) {
        let Some(time) = self.outlived_before() else { return };
        let state = &mut self.retention;
        if self.now < state.next_at || state.is_reading || self.draining || !self.chores.is_empty() {
            return;
        }
        state.is_reading = true;
        effects.push(Effect::Sweep(Sweep::EndedBefore { time, after: state.after.take() }));
    }

    /// Returns when an instance must have ended to go now.
    fn outlived_before(&self) -> Option<Timestamp> {
        self.settings.purge_after.map(|kept| self.now.saturating_sub(kept).unwrap_or(Timestamp::MIN))
    }

    /// Takes a page; each of its instances is looked at once more when its turn has come.
    pub(super) fn swept_for_retention(&mut self, swept: Swept) {
        let outlived = |record: InstanceRecord| Item::Outlived { instance: record.id, execution: record.execution };
        let found = swept.instances.into_iter().filter_map(|instance| instance.record);
        self.chores.extend(found.map(outlived));
        let state = &mut self.retention;
        state.is_reading = false;
        state.next_at = self.now + if swept.next.is_some() { AGAIN } else { ROUND };
        state.after = swept.next;
    }

    /// Removes an instance if it is still the one that ended long ago.
    pub(super) fn outlived(&mut self, instance: &InstanceId, execution: ExecutionId, work: &mut Work) {
        let Some(before) = self.outlived_before() else { return };
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let is_it = |record: &InstanceRecord| {
            record.execution == execution && record.status.is_terminal() && record.updated_at < before
        };
        if live.is_some_and(|live| is_it(&live.instance.record)) {
            tracing::debug!(partition = %self.me, %instance, "instance that ended long ago is purged");
            self.remove(instance, work);
        }
    }
}
