//! The history of an instance, as Durable Functions shows it: what was asked for and how it ended are one item.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use warren_model::{ActionId, Event, Failure, InstanceId, Outcome, Payload, Status, TurnRecord};

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HistoryItem {
    event_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestration_status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fire_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
}

/// Returns what a history shows; with inputs, results and event data if they are asked for.
pub(crate) fn history(turns: Vec<TurnRecord>, shows_input: bool, shows_output: bool) -> Vec<HistoryItem> {
    let mut shown = Shown { now: None, items: Vec::new(), open: HashMap::new(), shows_input, shows_output };
    turns.into_iter().flat_map(|turn| turn.events).for_each(|event| shown.add(event));
    shown.items.into_iter().flatten().collect()
}

struct Shown {
    /// When the turn began whose events are added.
    now: Option<Timestamp>,
    items: Vec<Option<HistoryItem>>,
    /// Where the items of actions are that have not ended.
    open: HashMap<ActionId, usize>,
    shows_input: bool,
    shows_output: bool,
}

impl Shown {
    fn add(&mut self, event: Event) {
        match part(event) {
            Part::Turn(at) => self.now = Some(at),
            Part::Whole(item) => self.push(item),
            Part::Asked(id, item) => {
                self.open.insert(id, self.items.len());
                self.push(item);
            }
            Part::Ended(id, ended) => {
                let asked = self.open.remove(&id).and_then(|at| self.items[at].take()).unwrap_or_default();
                let HistoryItem { event_type, result, reason, details, .. } = ended;
                let scheduled_time = asked.timestamp;
                self.push(HistoryItem { event_type, result, reason, details, scheduled_time, ..asked });
            }
        }
    }

    fn push(&mut self, item: HistoryItem) {
        let input = item.input.filter(|_| self.shows_input);
        let result = item.result.filter(|_| self.shows_output);
        self.items.push(Some(HistoryItem { input, result, timestamp: self.now, ..item }));
    }
}

/// What an event is to the shown history.
enum Part {
    /// The beginning of a turn.
    Turn(Timestamp),
    /// An item of its own.
    Whole(HistoryItem),
    /// What was asked for; its end takes its place.
    Asked(ActionId, HistoryItem),
    /// The end of what was asked for.
    Ended(ActionId, HistoryItem),
}

fn part(event: Event) -> Part {
    match event {
        Event::OrchestratorStarted(e) => Part::Turn(e.at),
        Event::ExecutionStarted(e) => Part::Whole(item("ExecutionStarted").function(e.name).input(e.input)),
        Event::TaskScheduled(e) => Part::Asked(e.id, item("TaskScheduled").function(e.name).input(e.input)),
        Event::TaskCompleted { id, result } => Part::Ended(id, item("TaskCompleted").outcome(Ok(result))),
        Event::TaskFailed { id, failure } => Part::Ended(id, item("TaskFailed").outcome(Err(failure))),
        Event::SubOrchestrationInstanceCreated(e) => {
            let created = item("SubOrchestrationInstanceCreated").function(e.name).instance(e.instance);
            Part::Asked(e.id, created.input(e.input))
        }
        Event::SubOrchestrationInstanceCompleted { id, result } => {
            Part::Ended(id, item("SubOrchestrationInstanceCompleted").outcome(Ok(result)))
        }
        Event::SubOrchestrationInstanceFailed { id, failure } => {
            Part::Ended(id, item("SubOrchestrationInstanceFailed").outcome(Err(failure)))
        }
        Event::TaskCanceled { id } => Part::Ended(id, item("TaskCanceled")),
        Event::TimerCreated(e) => Part::Asked(e.id, HistoryItem { fire_at: Some(e.fire_at), ..item("TimerCreated") }),
        Event::TimerFired { id } => Part::Ended(id, item("TimerFired")),
        Event::TimerCanceled { id } => Part::Ended(id, item("TimerCanceled")),
        Event::EventRaised(e) => Part::Whole(item("EventRaised").named(e.name).input(e.input)),
        Event::EventSent(e) => Part::Whole(item("EventSent").named(e.name).instance(e.instance).input(e.input)),
        Event::ExecutionSuspended(e) => Part::Whole(item("ExecutionSuspended").reason(e.reason)),
        Event::ExecutionResumed(e) => Part::Whole(item("ExecutionResumed").reason(e.reason)),
        Event::ExecutionTerminated(e) => {
            Part::Whole(item("ExecutionTerminated").reason(e.reason).status(Status::Terminated))
        }
        Event::TerminateSent(e) => Part::Whole(item("TerminateSent").instance(e.instance).reason(Some(e.reason))),
        Event::ExecutionCompleted(e) => {
            let status = if e.outcome.is_ok() { Status::Completed } else { Status::Failed };
            Part::Whole(item("ExecutionCompleted").outcome(e.outcome).status(status))
        }
        Event::ContinueAsNew(e) => Part::Whole(item("ContinueAsNew").input(e.input)),
    }
}

fn item(event_type: &'static str) -> HistoryItem {
    HistoryItem { event_type, ..HistoryItem::default() }
}

impl HistoryItem {
    fn function(self, name: String) -> Self {
        Self { function_name: Some(name), ..self }
    }

    fn named(self, name: String) -> Self {
        Self { name: Some(name), ..self }
    }

    fn instance(self, id: InstanceId) -> Self {
        Self { instance_id: Some(id.into()), ..self }
    }

    fn input(self, input: Payload) -> Self {
        Self { input: Some(input), ..self }
    }

    fn reason(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }

    fn status(self, status: Status) -> Self {
        Self { orchestration_status: Some(status), ..self }
    }

    fn outcome(self, outcome: Outcome) -> Self {
        match outcome {
            Ok(result) => Self { result: Some(result), ..self },
            Err(failure) => Self { reason: Some(failure.to_string()), details: Some(failure), ..self },
        }
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod test;
