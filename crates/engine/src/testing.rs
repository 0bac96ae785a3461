//! What the tests of the engine share: short ways to write events, messages and programs.

use warren_model::{
    Action, ActionId, Event, EventRaised, ExecutionId, ExecutionStarted, InboxMessage, InstanceId, MessageId, Outcome,
    Payload, SubOrchestrationCreated, TaskEnded, TaskScheduled, TimerCreated, Timestamp, TurnRecord, execution_id,
};

use crate::{Identity, Instance, Limits, Live, Program, Programs, Progress, Reaction, Turn};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes()).unwrap()
}

pub(crate) fn id() -> InstanceId {
    InstanceId::new("order-7").unwrap()
}

pub(crate) fn cause() -> MessageId {
    MessageId::new("m-1").unwrap()
}

pub(crate) fn execution() -> ExecutionId {
    execution_id(&id(), "m-1")
}

pub(crate) fn started() -> ExecutionStarted {
    ExecutionStarted {
        name: "checkout".into(),
        version: None,
        input: json("1"),
        parent: None,
        answer_to: None,
        tags: Default::default(),
        traceparent: None,
    }
}

pub(crate) fn start() -> InboxMessage {
    InboxMessage::Start { execution: execution(), cause: cause(), started: started() }
}

pub(crate) fn instance() -> Instance {
    Instance::accept(id(), execution(), cause(), &started(), at(0))
}

pub(crate) fn task(id: u32, name: &str) -> Action {
    Action::ScheduleTask(TaskScheduled::new(ActionId(id), name, json("1")))
}

pub(crate) fn timer(id: u32, second: i64) -> Action {
    Action::CreateTimer(TimerCreated { id: ActionId(id), fire_at: at(second) })
}

pub(crate) fn child(id: u32, instance: &str) -> Action {
    Action::StartChild(SubOrchestrationCreated {
        id: ActionId(id),
        instance: InstanceId::new(instance).unwrap(),
        name: "ship".into(),
        version: None,
        input: json("2"),
        attempt: 1,
        close: Default::default(),
    })
}

pub(crate) fn done(task: u32, result: &str) -> InboxMessage {
    ended(task, Ok(json(result)))
}

pub(crate) fn ended(task: u32, outcome: Outcome) -> InboxMessage {
    InboxMessage::Task(TaskEnded { execution: execution(), task: ActionId(task), attempt: 1, outcome })
}

pub(crate) fn fired(id: u32) -> InboxMessage {
    InboxMessage::Timer { execution: execution(), id: ActionId(id) }
}

pub(crate) fn raise(name: &str) -> InboxMessage {
    InboxMessage::Raise(EventRaised { name: name.into(), input: json("0") })
}

pub(crate) fn terminate() -> InboxMessage {
    InboxMessage::Terminate { reason: Some("enough".into()), recursive: true }
}

pub(crate) fn suspend() -> InboxMessage {
    InboxMessage::Suspend { reason: None }
}

pub(crate) fn resume() -> InboxMessage {
    InboxMessage::Resume { reason: None }
}

/// The answer of a program to the inputs it was given so far (without `OrchestratorStarted`).
type Code = fn(&[Event]) -> (Vec<Action>, Progress);

/// A program whose code is a function of everything it was told; it reacts with what is new.
pub(crate) struct Scripted {
    code: Code,
    told: Vec<Event>,
    asked: usize,
}

impl Program for Scripted {
    fn react(&mut self, inputs: &[Event], _replaying: bool) -> Reaction {
        self.told.extend(inputs.iter().filter(|e| !matches!(e, Event::OrchestratorStarted(_))).cloned());
        let (mut actions, progress) = (self.code)(&self.told);
        let fresh = actions.split_off(self.asked);
        self.asked += fresh.len();
        Reaction { actions: fresh, progress }
    }
}

/// Knows one orchestrator, `checkout`, by this code.
pub(crate) struct Known(pub(crate) Code);

impl Programs for Known {
    fn resolve(&self, name: &str, version: Option<&str>) -> Result<Option<String>, String> {
        match (name, version) {
            ("checkout", None | Some("2")) => Ok(Some("2".into())),
            _ => Err(format!("unknown orchestrator {name:?}")),
        }
    }

    fn create(&self, identity: &Identity) -> Result<Box<dyn Program>, String> {
        self.resolve(&identity.name, identity.version.as_deref())?;
        Ok(Box::new(Scripted { code: self.0, told: Vec::new(), asked: 0 }))
    }
}

/// A chain of two tasks.
pub(crate) fn chain(told: &[Event]) -> (Vec<Action>, Progress) {
    let results = told.iter().filter(|e| matches!(e, Event::TaskCompleted { .. })).count();
    let actions = vec![task(1, "charge"), task(2, "ship")];
    match results {
        0 => (actions[..1].to_vec(), Progress::Waiting),
        1 => (actions, Progress::Waiting),
        _ => (actions, Progress::Ended(Ok(json("\"shipped\"")))),
    }
}

/// An instance, its history and its code, as an owner would drive it.
pub(crate) struct Story {
    pub(crate) live: Live,
    pub(crate) history: Vec<TurnRecord>,
    pub(crate) known: Known,
    pub(crate) limits: Limits,
    pub(crate) second: i64,
}

impl Story {
    pub(crate) fn of(code: Code) -> Self {
        let live = Live::new(instance());
        Self { live, history: Vec::new(), known: Known(code), limits: Limits::default(), second: 0 }
    }

    /// Begins and runs the first turn.
    pub(crate) fn begun(code: Code) -> Self {
        let mut story = Self::of(code);
        story.turn(&[start()]);
        story
    }

    pub(crate) fn turn(&mut self, fresh: &[InboxMessage]) -> Turn {
        self.turn_with(&[], fresh)
    }

    pub(crate) fn turn_with(&mut self, pending: &[InboxMessage], fresh: &[InboxMessage]) -> Turn {
        self.second += 1;
        let turn = self.live.turn(pending, fresh, at(self.second), &self.known, &self.limits);
        if let Some(recorded) = &turn.recorded {
            self.history.push(serde_json::from_str(&recorded.body).unwrap());
        }
        turn
    }

    /// Forgets the live program and brings the instance back from its row and history.
    pub(crate) fn evict(&mut self) {
        let record = self.live.instance.record.clone();
        self.live = Live::load(record, &self.history, &self.known, &self.limits, false);
    }
}

/// The names of a turn's events.
pub(crate) fn names(turn: &Turn) -> Vec<&'static str> {
    turn.recorded.iter().flat_map(|recorded| &recorded.events).map(Event::name).collect()
}
