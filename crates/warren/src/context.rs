//! The context: all that an orchestrator may ask of the world.

use std::{
    cell::{RefCell, RefMut},
    ops::RangeBounds,
    rc::Rc,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;
use warren_engine::Identity;
use warren_model::{
    Action, EventSent, ExecutionId, Failure, InstanceId, Timestamp, code, limits::CUSTOM_STATUS_BYTES_MAX,
};

use crate::{
    Activity, ActivityCall, ChildCall, Event, EventWait, Orchestrator, Pending, Timer, contract::flaw, json,
    state::State,
};

/// All that an orchestrator may ask of the world.
///
/// What a method asks for is recorded at once, in the order of the source; the future that it returns only collects
/// the result. So two calls that are made before either is awaited run side by side.
///
/// A context belongs to the thread of its orchestration. To send it to another one does not compile:
///
/// ```compile_fail,E0277
/// async fn lost(ctx: warren::Context, _: ()) -> Result<(), warren::Failure> {
///     std::thread::spawn(move || ctx.now()); // `Rc<…>` cannot be sent between threads safely
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Context(Rc<Inner>);

struct Inner {
    identity: Identity,
    state: RefCell<State>,
}

impl Context {
    pub(crate) fn new(identity: Identity) -> Self {
        let state = RefCell::new(State::new(&identity));
        Self(Rc::new(Inner { identity, state }))
    }

    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.0.state.borrow_mut()
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

/// Work for others.
impl Context {
    /// Prepares a call of an activity: options first, then [`ActivityCall::call`] with the input.
    pub fn activity<I: Serialize, O: DeserializeOwned>(&self, activity: Activity<I, O>) -> ActivityCall<'_, I, O> {
        ActivityCall::new(self, activity)
    }

    /// Calls an activity without options.
    pub fn call<I: Serialize, O: DeserializeOwned>(&self, activity: Activity<I, O>, input: I) -> Pending<O> {
        self.activity(activity).call(input)
    }

    /// Prepares the start of a child orchestration: options first, then [`ChildCall::call`] with the input.
    pub fn orchestrator<I: Serialize, O: DeserializeOwned>(
        &self,
        orchestrator: Orchestrator<I, O>,
    ) -> ChildCall<'_, I, O> {
        ChildCall::new(self, orchestrator)
    }
}

/// Time.
impl Context {
    /// Returns when the present turn began; the same in every replay, and never earlier than in the turn before.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Sets a timer for so long after [`now`](Self::now). It is cancelled if it is dropped before it fires.
    pub fn timer(&self, duration: Duration) -> Timer {
        let fire_at = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        self.timer_until(fire_at)
    }

    /// Sets a timer for this moment; one that has passed fires at once.
    pub fn timer_until(&self, fire_at: Timestamp) -> Timer {
        Timer::new(self, fire_at)
    }
}

/// Events.
impl Context {
    /// Waits for an event. One that arrived before anybody waited was kept; each is given to one waiter only.
    pub fn event<T: DeserializeOwned>(&self, event: Event<T>) -> EventWait<T> {
        EventWait::new(self, event)
    }

    /// Sends another instance an event; it arrives also where nobody waits for it yet.
    ///
    /// Fails, and sends nothing, if the instance id is none or the value can't be written as JSON.
    pub fn send_event<T: Serialize>(&self, instance: &str, event: Event<T>, value: T) -> Result<(), Failure> {
        let refuse = |flaw: String| Failure::permanent(code::INVALID_INPUT, flaw);
        if let Some(flaw) = flaw("event", event.name) {
            return Err(refuse(flaw));
        }
        let instance = InstanceId::new(instance).map_err(|error| refuse(error.to_string()))?;
        let input = json::write(&value, code::INVALID_INPUT)?;
        let mut state = self.state();
        let id = state.next_id();
        state.emit(Action::SendEvent(EventSent { id, instance, name: event.name.to_owned(), input }));
        Ok(())
    }
}

/// The orchestration itself.
impl Context {
    /// Begins the orchestration anew with this input and an empty history, once the function returns:
    /// `return ctx.continue_as_new(next);`. Events that nobody has consumed are carried over.
    ///
    /// Always an `Err`, so that it fits whatever the function returns: it marks the end, or, if the input can't be
    /// written as JSON, it says so, and the orchestration fails.
    pub fn continue_as_new<I: Serialize, O>(&self, input: I) -> Result<O, Failure> {
        let input = json::write(&input, code::INVALID_INPUT)?;
        self.state().continued = Some(input);
        Err(Failure::permanent("continued_as_new", "the orchestration goes on in a new execution"))
    }

    /// Shows a value to whoever asks for the orchestration's status, in place of the one before.
    ///
    /// Fails, and changes nothing, if the value can't be written as JSON or has more than 16 KiB.
    pub fn set_custom_status<T: Serialize + ?Sized>(&self, status: &T) -> Result<(), Failure> {
        let status = json::write(status, code::INVALID_INPUT)?;
        if status.size() > CUSTOM_STATUS_BYTES_MAX {
            let text =
                format!("custom status has {} bytes, at most {CUSTOM_STATUS_BYTES_MAX} are allowed", status.size());
            return Err(Failure::permanent(code::PAYLOAD_TOO_LARGE, text));
        }
        self.state().emit(Action::SetCustomStatus(status));
        Ok(())
    }

    /// Returns the id of the instance.
    pub fn instance(&self) -> &InstanceId {
        &self.identity().instance
    }

    /// Returns the id of the execution; it changes when the orchestration continues as new.
    pub fn execution(&self) -> ExecutionId {
        self.identity().execution
    }

    /// Returns the version that was pinned for this execution, if the orchestrator was registered with one.
    pub fn version(&self) -> Option<&str> {
        self.identity().version.as_deref()
    }

    /// Returns whether the present turn has run before, and is only run again to rebuild what was in memory.
    ///
    /// Never decide by it what to ask for. `tracing` needs no such check: it is silent during a replay.
    pub fn is_replaying(&self) -> bool {
        self.state().replaying
    }
}

/// Chance, the same in every replay.
impl Context {
    /// Returns a new uuid.
    pub fn uuid(&self) -> Uuid {
        let mut state = self.state();
        state.uuids += 1;
        Uuid::new_v5(&Uuid::from_u128(self.execution().as_u128()), &state.uuids.to_be_bytes())
    }

    /// Returns a random number. Not for secrets: whoever knows the execution's id can compute it.
    pub fn random(&self) -> u64 {
        self.state().random.next()
    }

    /// Returns a random number of a range: `ctx.random_in(1..=6)`.
    ///
    /// # Panics
    /// If the range is empty.
    pub fn random_in(&self, range: impl RangeBounds<u64>) -> u64 {
        self.state().random.within(&range)
    }

    /// Returns a random number from 0 up to and without 1.
    pub fn random_fraction(&self) -> f64 {
        self.state().random.fraction()
    }
}

#[cfg(test)]
#[path = "context_test.rs"]
mod test;
