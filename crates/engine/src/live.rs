//! An instance together with its program: what an owner keeps in its cache.

use warren_model::{ConditionKind, Event, InboxMessage, InstanceRecord, Timestamp, TurnRecord};

use crate::{Instance, Limits, Program, Programs, Progress, Reaction, Turn, begin, finish, finish::over_limit, replay};

/// An instance whose program answers at once. The program stays alive between turns, so that an event costs the same
/// whatever the history's length; memory is only a cache of the store.
pub struct Live {
    /// The instance.
    pub instance: Instance,
    program: Option<Box<dyn Program>>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Live {
    /// Returns a live instance that has not run yet.
    pub fn new(instance: Instance) -> Self {
        Self { instance, program: None }
    }

    /// Returns an instance whose history can't be read; see [`Instance::corrupt`].
    pub fn corrupt(record: InstanceRecord, message: String) -> Self {
        Self::new(Instance::corrupt(record, message))
    }

    /// Brings back an instance from its row and the turns of its present execution, by replay. One that can't be brought
    /// back is parked with the reason. A condition from before is forgotten, and found again if it still holds; only a
    /// quarantine, and a history over its limit, stay until `resumed`.
    pub fn load(
        record: InstanceRecord,
        turns: &[TurnRecord],
        programs: &dyn Programs,
        limits: &Limits,
        resumed: bool,
    ) -> Self {
        let mut live = Self::new(Instance::restore(record, turns));
        let instance = &mut live.instance;
        let stays = instance.record.condition.as_ref().is_some_and(|condition| match condition.kind {
            ConditionKind::Quarantined => true,
            ConditionKind::HistoryLimit => over_limit(&instance.record, limits).is_some(),
            ConditionKind::Blocked
            | ConditionKind::Stuck
            | ConditionKind::Panicked
            | ConditionKind::UnknownOrchestrator
            | ConditionKind::Corrupt => false,
        });
        if resumed || !stays {
            instance.retry();
        }
        if live.instance.begun && live.instance.record.condition.is_none() {
            live.revive(turns, programs);
        }
        live
    }

    fn revive(&mut self, turns: &[TurnRecord], programs: &dyn Programs) {
        let identity = self.instance.identity();
        match programs.create(&identity) {
            Err(message) => self.instance.park(ConditionKind::UnknownOrchestrator, message),
            Ok(mut program) => match replay(program.as_mut(), turns) {
                Ok(()) => self.program = Some(program),
                Err(divergence) => self.instance.record.condition = Some(divergence.condition(&identity.name)),
            },
        }
    }

    /// Returns whether the instance must be loaded anew before it can run: it has begun, and its program is gone.
    pub fn is_spent(&self) -> bool {
        self.instance.begun && self.program.is_none()
    }

    /// Runs one turn: decides what counts, lets the program react, and folds the result into the instance.
    ///
    /// A resume among `fresh` also lets a parked instance try again; one that [`is_spent`](Self::is_spent) must be
    /// loaded anew first, or it stays parked.
    pub fn turn(
        &mut self,
        pending: &[InboxMessage],
        fresh: &[InboxMessage],
        now: Timestamp,
        programs: &dyn Programs,
        limits: &Limits,
    ) -> Turn {
        if !self.is_spent() && fresh.iter().any(|message| matches!(message, InboxMessage::Resume { .. })) {
            self.instance.retry();
        }
        let asked = self.instance.record.version.clone();
        let is_new = !self.instance.begun && self.instance.record.condition.is_none();
        if is_new && pending.iter().chain(fresh).any(is_start) {
            self.create(programs);
        }
        let request = begin(&self.instance, pending, fresh, now);
        let reaction = match &mut self.program {
            _ if request.inputs.is_empty() => None,
            Some(program) => Some(program.react(&request.inputs, false)),
            None => Some(not_loaded()),
        };
        let turn = finish(&mut self.instance, request, reaction, limits);
        if !self.instance.begun || turn.is_undone {
            self.program = None;
        }
        if is_new && !self.instance.begun && turn.recorded.as_ref().is_none_or(|recorded| !has_begun(&recorded.events))
        {
            self.instance.record.version = asked; // it has not begun, so nothing is pinned
        }
        turn
    }

    /// Pins the version and creates the program of an execution that is about to begin.
    fn create(&mut self, programs: &dyn Programs) {
        let (name, version) = (self.instance.record.name.clone(), self.instance.record.version.clone());
        let made = programs.resolve(&name, version.as_deref()).and_then(|version| {
            self.instance.record.version = version;
            programs.create(&self.instance.identity())
        });
        match made {
            Ok(program) => self.program = Some(program),
            Err(message) => self.instance.park(ConditionKind::UnknownOrchestrator, message),
        }
    }
}

fn has_begun(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::ExecutionStarted(_)))
}

fn is_start(message: &InboxMessage) -> bool {
    matches!(message, InboxMessage::Start { .. })
}

/// What a turn without its program comes to: the instance is parked and its inputs are held.
fn not_loaded() -> Reaction {
    let message = "its program is not loaded; resume the instance to load it".into();
    Reaction { actions: Vec::new(), progress: Progress::Stuck { message } }
}

#[cfg(test)]
#[path = "live_test.rs"]
mod test;
