//! A small reading of a turn's JSON: no more of it than judging needs.

use jiff::Timestamp;
use serde_json::Value;

/// The format that this reader knows.
const FORMAT: u64 = 1;

/// One event of a history.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A turn began, at this time.
    TurnBegan(Timestamp),
    /// The execution began, with this input.
    Started(Value),
    /// A task was asked for.
    TaskScheduled { id: u64 },
    /// A task ended; `None`: it failed.
    TaskEnded { id: u64, result: Option<Value> },
    /// A child was asked for.
    ChildCreated { id: u64, instance: String },
    /// A child ended; `None`: it failed.
    ChildEnded { id: u64, result: Option<Value> },
    /// A timer was set.
    TimerCreated { id: u64, fire_at: Timestamp },
    /// The orchestrator gave it up.
    TaskCanceled { id: u64 },
    /// It fired.
    TimerFired { id: u64 },
    /// It was cancelled.
    TimerCanceled { id: u64 },
    /// An event arrived.
    Raised { name: String, input: Value },
    /// The execution returned; `Err`: it failed.
    Completed(Result<Value, Value>),
    /// The execution goes on in another.
    Continued,
    /// It was ended from outside.
    Terminated,
    /// Something that no rule looks at.
    Other,
}

impl Event {
    /// Returns the status that the event ends its execution with, if it does.
    pub(crate) fn ending(&self) -> Option<&'static str> {
        match self {
            Self::Completed(Ok(_)) => Some("Completed"),
            Self::Completed(Err(_)) => Some("Failed"),
            Self::Terminated => Some("Terminated"),
            Self::Continued => Some("continued"),
            Self::TurnBegan(_)
            | Self::Started(_)
            | Self::TaskScheduled { .. }
            | Self::TaskEnded { .. }
            | Self::ChildCreated { .. }
            | Self::ChildEnded { .. }
            | Self::TimerCreated { .. }
            | Self::TimerFired { .. }
            | Self::TimerCanceled { .. }
            | Self::TaskCanceled { .. }
            | Self::Raised { .. }
            | Self::Other => None,
        }
    }
}

/// Reads the JSON of a turn.
pub(crate) fn read_turn(body: &str) -> Result<Vec<Event>, String> {
    let turn: Value = serde_json::from_str(body).map_err(|error| format!("is no JSON: {error}"))?;
    match turn.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        other => return Err(format!("has format {other:?}, and this reader knows {FORMAT}")),
    }
    let events = turn.get("events").and_then(Value::as_array).ok_or("has no events")?;
    events.iter().map(read_event).collect()
}

fn read_event(event: &Value) -> Result<Event, String> {
    let (name, body) =
        event.as_object().and_then(|event| event.iter().next()).ok_or_else(|| format!("has no event: {event}"))?;
    let id = || body.get("id").and_then(Value::as_u64).ok_or_else(|| format!("has {name} without an id"));
    let text = |key: &str| match body.get(key).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("has {name} without {key}")),
    };
    let time = |key: &str| text(key)?.parse::<Timestamp>().map_err(|error| format!("has {name}: {key}: {error}"));
    let input = || body.get("input").cloned().unwrap_or(Value::Null);
    let result = || Some(body.get("result").cloned().unwrap_or(Value::Null));
    Ok(match name.as_str() {
        "OrchestratorStarted" => Event::TurnBegan(time("at")?),
        "ExecutionStarted" => Event::Started(input()),
        "TaskScheduled" => Event::TaskScheduled { id: id()? },
        "TaskCompleted" => Event::TaskEnded { id: id()?, result: result() },
        "TaskFailed" => Event::TaskEnded { id: id()?, result: None },
        "SubOrchestrationInstanceCreated" => Event::ChildCreated { id: id()?, instance: text("instance")? },
        "SubOrchestrationInstanceCompleted" => Event::ChildEnded { id: id()?, result: result() },
        "SubOrchestrationInstanceFailed" => Event::ChildEnded { id: id()?, result: None },
        "TimerCreated" => Event::TimerCreated { id: id()?, fire_at: time("fire_at")? },
        "TimerFired" => Event::TimerFired { id: id()? },
        "TaskCanceled" => Event::TaskCanceled { id: id()? },
        "TimerCanceled" => Event::TimerCanceled { id: id()? },
        "EventRaised" => Event::Raised { name: text("name")?, input: input() },
        "ExecutionCompleted" => Event::Completed(outcome(body)?),
        "ContinueAsNew" => Event::Continued,
        "ExecutionTerminated" => Event::Terminated,
        "EventSent" | "ExecutionSuspended" | "ExecutionResumed" | "TerminateSent" => Event::Other,
        unknown => return Err(format!("has an event that this reader does not know: {unknown}")),
    })
}

fn outcome(body: &Value) -> Result<Result<Value, Value>, String> {
    let outcome = body.get("outcome").ok_or("has ExecutionCompleted without an outcome")?;
    match (outcome.get("Ok"), outcome.get("Err")) {
        (Some(result), None) => Ok(Ok(result.clone())),
        (None, Some(failure)) => Ok(Err(failure.clone())),
        _ => Err(format!("has an outcome that is none: {outcome}")),
    }
}
