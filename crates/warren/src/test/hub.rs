//! The hub as a test holds it.

use std::{cell::RefCell, future::poll_fn, rc::Rc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{Failure, InstanceId, MessageId, Payload, Timestamp};

use super::{
    Handle, block_on,
    mock::Mock,
    resident::{Resident, Start},
    world::World,
};
use crate::{Activity, Orchestrator, Registry};

/// Most turns of one wait: an orchestration that goes on for ever must fail its test, within seconds.
const TURNS_MAX: u64 = 10_000;

/// When virtual time begins: 2025-01-01, midnight in UTC.
const BEGINNING_OF_TIME: i64 = 1_735_689_600;

/// A whole hub in one process: instances, activities, timers and events, in virtual time.
///
/// Time stands still while anything else can happen, activities that run included; then it jumps to the next timer.
/// Nothing happens between calls: what [`Handle`] is told is acted on in the next `wait`, `settle` or `advance`.
#[derive(Clone)]
pub struct Hub {
    world: Rc<RefCell<World>>,
}

impl Hub {
    /// Returns a hub that serves these functions.
    pub fn new(registry: Registry) -> Self {
        let now = Timestamp::from_second(BEGINNING_OF_TIME).expect("a second of this century is a timestamp");
        Self { world: Rc::new(RefCell::new(World::new(registry, now))) }
    }

    /// Lets `function` stand in for an activity. A panic of it (an assertion) fails the test.
    #[must_use]
    pub fn mock<I, O, F>(self, activity: Activity<I, O>, function: F) -> Self
    where
        I: DeserializeOwned,
        O: Serialize,
        F: FnMut(I) -> Result<O, Failure> + 'static,
    {
        self.mock_taking(Duration::ZERO, activity, function)
    }

    /// Lets `function` stand in for an activity that takes so much virtual time.
    #[must_use]
    pub fn mock_taking<I, O, F>(self, takes: Duration, activity: Activity<I, O>, function: F) -> Self
    where
        I: DeserializeOwned,
        O: Serialize,
        F: FnMut(I) -> Result<O, Failure> + 'static,
    {
        self.world.borrow_mut().mocks.insert(activity.name, Mock::new(takes, function));
        self
    }

    /// Keeps orchestrations in memory between turns, instead of replaying them: faster, and finds less. Turns then run
    /// on the caller's thread.
    #[must_use]
    pub fn keep_alive(self) -> Self {
        self.world.borrow_mut().keeps_alive = true;
        self
    }

    /// Runs an orchestration to its end and returns its result. Whatever keeps it from ending is a failure that says
    /// what: blocked, stuck, panicked, or a wait for an event that nobody sends.
    pub async fn run<I: Serialize, O: DeserializeOwned>(
        &self,
        orchestrator: Orchestrator<I, O>,
        input: I,
    ) -> Result<O, Failure> {
        self.start(orchestrator, input).wait().await
    }

    /// Runs an orchestration to its end without a runtime.
    pub fn run_blocking<I: Serialize, O: DeserializeOwned>(
        &self,
        orchestrator: Orchestrator<I, O>,
        input: I,
    ) -> Result<O, Failure> {
        block_on(self.run(orchestrator, input))
    }

    /// Starts an orchestration under an id of the hub's.
    pub fn start<I: Serialize, O>(&self, orchestrator: Orchestrator<I, O>, input: I) -> Handle<O> {
        let is_free = |id: &String| self.handle::<O>(id).is_none();
        let id = (1..).map(|number| format!("instance-{number}")).find(is_free).expect("some number is free");
        self.start_as(&id, orchestrator, input)
    }

    /// Starts an orchestration under this id.
    ///
    /// # Panics
    /// If the id is none or is in use, or the input can't be written as JSON.
    #[track_caller]
    pub fn start_as<I: Serialize, O>(&self, id: &str, orchestrator: Orchestrator<I, O>, input: I) -> Handle<O> {
        let instance = InstanceId::new(id).unwrap_or_else(|error| panic!("can't start `{id}`: {error}"));
        let input = Payload::of(&input).unwrap_or_else(|error| panic!("the input of `{id}` is no json: {error}"));
        let mut world = self.world.borrow_mut();
        assert!(!world.instances.contains_key(&instance), "the instance `{id}` exists already");
        world.start(Start {
            instance: instance.clone(),
            cause: MessageId::new("start").expect("a word is a message id"),
            name: orchestrator.name.to_owned(),
            version: orchestrator.version.map(str::to_owned),
            input,
            parent: None,
        });
        drop(world);
        Handle::new(self.clone(), instance)
    }

    /// Returns a handle of an instance that something else started, a child for example; its result is read as an `O`.
    pub fn handle<O>(&self, id: &str) -> Option<Handle<O>> {
        let instance = InstanceId::new(id).ok()?;
        let exists = self.world.borrow().instances.contains_key(&instance);
        exists.then(|| Handle::new(self.clone(), instance))
    }

    /// Lets everything happen that can without time passing.
    pub async fn settle(&self) -> Result<(), Failure> {
        let now = self.now();
        self.drive(now, || false).await
    }

    /// Lets so much time pass, and everything happen that does meanwhile.
    pub async fn advance(&self, duration: Duration) -> Result<(), Failure> {
        let limit = self.now().checked_add(duration).unwrap_or(Timestamp::MAX);
        self.drive(limit, || false).await?;
        self.world.borrow_mut().now = limit;
        Ok(())
    }

    /// Returns the virtual time.
    pub fn now(&self) -> Timestamp {
        self.world.borrow().now
    }

    /// Returns the inputs that an activity was called with so far, in order, attempts after the first included.
    ///
    /// # Panics
    /// If one can't be read as an `I`.
    #[track_caller]
    pub fn calls<I: DeserializeOwned, O>(&self, activity: Activity<I, O>) -> Vec<I> {
        let world = self.world.borrow();
        let inputs = world.calls.iter().filter(|(name, _)| name == activity.name);
        inputs.map(|(_, input)| input.parse().unwrap_or_else(|error| panic!("a call's input: {error}"))).collect()
    }

    /// Serves other functions from now on, as a deployment does. Instances go on with the new code.
    pub fn deploy(&self, registry: Registry) {
        let mut world = self.world.borrow_mut();
        world.registry = registry;
        world.instances.values_mut().for_each(Resident::evict);
    }

    pub(super) fn world(&self) -> &RefCell<World> {
        &self.world
    }

    /// Lets things happen until `is_done`, or until nothing can before `limit`.
    pub(super) async fn drive(&self, limit: Timestamp, is_done: impl Fn() -> bool) -> Result<(), Failure> {
        let last_turn = self.world.borrow().turns + TURNS_MAX;
        loop {
            while self.world.borrow_mut().step() {
                if self.world.borrow().turns >= last_turn {
                    let text = format!("still going on after {TURNS_MAX} turns; stop it, or use Hub::advance");
                    return Err(Failure::permanent("endless", text));
                }
            }
            if is_done() {
                return Ok(());
            }
            let has_reply = poll_fn(|cx| self.world.borrow_mut().poll_task(cx)).await;
            if !has_reply && !self.world.borrow_mut().pass_time(limit) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
#[path = "hub_test.rs"]
mod test;
