//! What the tests of this crate share: a program that is driven by hand, and short ways to write events.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use warren_engine::{Identity, Program, Progress, Reaction};
use warren_model::{
    Action, ActionId, Event, EventRaised, ExecutionId, ExecutionStarted, Failure, InstanceId, OrchestratorStarted,
    Payload, Timestamp,
};

use crate::{
    Context,
    program::{Function, Run, erase},
};

pub(crate) const EXECUTION: ExecutionId = ExecutionId::from_u128(0xabc);

/// An orchestration whose turns a test gives by hand. After each turn, a second program replays all of them and must do
/// the same.
pub(crate) struct Driver {
    function: Function,
    run: Run,
    turns: Vec<(Vec<Event>, Reaction)>,
}

impl Driver {
    /// Returns the orchestration and what its first turn gave.
    pub(crate) fn begin<I, O, E, F, Fut>(function: F, input: impl Serialize) -> (Self, Reaction)
    where
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
        E: Into<Failure>,
        F: Fn(Context, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + 'static,
    {
        let function = erase(function);
        let mut driver = Self { run: Run::new(identity(), function.clone()), function, turns: Vec::new() };
        let reaction = driver.turn([started(&input)]);
        (driver, reaction)
    }

    /// Gives the program one turn, a second after the one before.
    pub(crate) fn turn(&mut self, events: impl IntoIterator<Item = Event>) -> Reaction {
        let second = i64::try_from(self.turns.len()).unwrap();
        let mut inputs = vec![Event::OrchestratorStarted(OrchestratorStarted { at: at(second) })];
        inputs.extend(events);
        let reaction = self.run.react(&inputs, false);
        self.turns.push((inputs, reaction.clone()));
        self.replay();
        reaction
    }

    fn replay(&self) {
        let mut again = Run::new(identity(), self.function.clone());
        for (number, (inputs, reaction)) in self.turns.iter().enumerate() {
            assert_eq!(again.react(inputs, true), *reaction, "turn {number} is replayed");
        }
    }
}

pub(crate) fn identity() -> Identity {
    let instance = InstanceId::new("order-7").unwrap();
    Identity { instance, execution: EXECUTION, name: "checkout".into(), version: Some("2".into()) }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000_000 + second).unwrap()
}

pub(crate) fn json<T: Serialize>(value: T) -> Payload {
    Payload::of(&value).unwrap()
}

pub(crate) fn started(input: &impl Serialize) -> Event {
    Event::ExecutionStarted(ExecutionStarted {
        name: "checkout".into(),
        version: Some("2".into()),
        input: json(input),
        parent: None,
        answer_to: None,
        tags: BTreeMap::new(),
        traceparent: None,
    })
}

pub(crate) fn done(id: u32, result: impl Serialize) -> Event {
    Event::TaskCompleted { id: ActionId(id), result: json(result) }
}

pub(crate) fn failed(id: u32, failure: Failure) -> Event {
    Event::TaskFailed { id: ActionId(id), failure }
}

pub(crate) fn fired(id: u32) -> Event {
    Event::TimerFired { id: ActionId(id) }
}

pub(crate) fn raised(name: &str, input: impl Serialize) -> Event {
    Event::EventRaised(EventRaised { name: name.into(), input: json(input) })
}

pub(crate) fn busy() -> Failure {
    Failure::new("busy", "try later")
}

/// What was asked for, in short: `task 1 charge`, `timer 2 +3s`, `cancel 2`.
pub(crate) fn asked(reaction: &Reaction) -> Vec<String> {
    reaction.actions.iter().map(short).collect()
}

fn short(action: &Action) -> String {
    match action {
        Action::ScheduleTask(task) if task.attempt > 1 => format!("task {} {} again", task.id, task.name),
        Action::ScheduleTask(task) => format!("task {} {}", task.id, task.name),
        Action::CreateTimer(timer) => {
            format!("timer {} +{}s", timer.id, timer.fire_at.duration_since(at(0)).as_secs())
        }
        Action::CancelTask { id } | Action::CancelTimer { id } => format!("cancel {id}"),
        Action::StartChild(child) => format!("child {} {} as {}", child.id, child.name, child.instance),
        Action::SendEvent(event) => format!("event {} {} to {}", event.id, event.name, event.instance),
        Action::SetCustomStatus(status) => format!("status {}", status.as_str()),
    }
}

/// The result of a program that has ended well.
#[track_caller]
pub(crate) fn result<T: DeserializeOwned>(reaction: &Reaction) -> T {
    let Progress::Ended(Ok(result)) = &reaction.progress else { panic!("not ended well: {reaction:?}") };
    result.parse().unwrap()
}

/// The failure of a program that has ended badly.
#[track_caller]
pub(crate) fn failure(reaction: &Reaction) -> Failure {
    let Progress::Ended(Err(failure)) = &reaction.progress else { panic!("not ended badly: {reaction:?}") };
    failure.clone()
}
