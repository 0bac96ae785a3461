//! What runs an orchestrator's code, as the engine sees it.

use warren_model::{Action, Event, EventRaised, ExecutionId, InstanceId, Outcome, Payload};

/// A running orchestrator: the live future of a Rust function, or anything else that reacts to events with actions.
///
/// It must be deterministic: the same inputs in the same turns give the same reactions.
pub trait Program {
    /// Delivers the inputs of one turn, in order and one completion at a time, and returns what the code asked for.
    ///
    /// `inputs` are events for which [`Event::is_input`] holds, the first of them `OrchestratorStarted`. While
    /// `replaying`, the turn is already recorded: nothing that the code logs is to be shown.
    fn react(&mut self, inputs: &[Event], replaying: bool) -> Reaction;
}

/// What a program did in one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// What it asked for, in the order of the code.
    pub actions: Vec<Action>,
    /// How it stands after the turn.
    pub progress: Progress,
}

/// How a program stands after a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits for something durable.
    Waiting,
    /// It returned.
    Ended(Outcome),
    /// It begins anew.
    ContinuedAsNew {
        /// With this input.
        input: Payload,
        /// And these events, which it had not consumed, in the order of their arrival.
        carried: Vec<EventRaised>,
    },
    /// It waits, but for nothing durable: nothing will ever wake it.
    Stuck {
        /// What is wrong and what to do.
        message: String,
    },
    /// Its code panicked.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

/// Which execution a program is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The instance.
    pub instance: InstanceId,
    /// The execution; uuids and random numbers derive from it.
    pub execution: ExecutionId,
    /// Which orchestrator.
    pub name: String,
    /// Which version; `None` for a function that was registered without one.
    pub version: Option<String>,
}

/// The programs that a process knows.
pub trait Programs {
    /// Returns the version to pin for a start of `name`: the requested one if it is known, the newest if none is
    /// requested. `Err` says what is unknown, what is known, and what to do.
    fn resolve(&self, name: &str, version: Option<&str>) -> Result<Option<String>, String>;

    /// Returns a program that has not begun, or `Err` as [`Programs::resolve`] does.
    fn create(&self, identity: &Identity) -> Result<Box<dyn Program>, String>;
}
