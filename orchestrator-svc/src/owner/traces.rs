//! Spans of traced instances: of each execution, each turn, and each attempt of what an execution asks for.
//!
//! A span is made once its end is committed, by the owner that committed it, and its id is made from what it is of: a turn
//! that is run twice makes one span, and one that is replayed makes none. What an execution has asked for is kept only
//! while it is traced.

use std::collections::BTreeMap;

use warren_engine::Recorded;
use warren_model::{
    ActionId, Event, ExecutionId, ExecutionStarted, Failure, InstanceRecord, Timestamp, TraceContext,
    trace::{action_span, execution_span, turn_span},
};
use warren_service::traces::{Kind, Span, Value};

use super::batch::ended_by;

/// An execution in a trace that somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traced {
    /// What its start continues.
    context: TraceContext,
    execution: ExecutionId,
    since: Timestamp,
    /// What it has asked for.
    open: BTreeMap<ActionId, Asked>,
}

/// Something that an execution has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    name: String,
    attempt: u32,
    since: Timestamp,
    kind: Kind,
}

impl Traced {
    /// Returns what is known of an execution from its turns; `None` if it is not traced.
    pub(super) fn restore<'t>(execution: ExecutionId, turns: impl Iterator<Item = &'t [Event]>) -> Option<Box<Self>> {
        let mut traced = None;
        turns.for_each(|events| drop(follow(&mut traced, execution, events)));
        traced
    }

    fn begin(execution: ExecutionId, started: &ExecutionStarted, since: Timestamp) -> Option<Box<Self>> {
        let context: TraceContext = started.traceparent.as_ref()?.parse().ok()?;
        context.is_sampled().then(|| Box::new(Self { context, execution, since, open: BTreeMap::new() }))
    }

    fn ask(&mut self, id: ActionId, attempt: u32, name: String, since: Timestamp, kind: Kind) {
        self.open.insert(id, Asked { name, attempt, since, kind });
    }

    /// Returns the span of something that has ended; its end is set when it is written.
    fn end(&mut self, id: ActionId, failure: Option<&Failure>) -> Option<Span> {
        let Asked { name, attempt, since, kind } = self.open.remove(&id)?;
        let span = Span {
            name,
            kind,
            attributes: vec![("warren.task", Value::from(id.to_string())), ("warren.attempt", attempt.into())],
            error: failure.map(|failure| failure.code.clone()),
            ..self.span(action_span(self.execution, id, attempt), since)
        };
        Some(span)
    }

    /// Returns the spans of all that is open, for nobody will wait for its end; then that of the execution.
    fn close(mut self, error: Option<String>) -> Vec<Span> {
        let open: Vec<ActionId> = self.open.keys().copied().collect();
        let mut spans: Vec<Span> = open.into_iter().filter_map(|id| self.end(id, None)).collect();
        let id = execution_span(self.execution);
        let span = Span { parent: self.context.span, kind: Kind::Consumer, error, ..self.span(id, self.since) };
        spans.push(span);
        spans
    }

    fn span(&self, id: u64, since: Timestamp) -> Span {
        Span {
            trace: self.context.trace,
            id,
            parent: execution_span(self.execution),
            name: String::new(),
            kind: Kind::Internal,
            start_ns: nanoseconds(since),
            end_ns: 0,
            attributes: Vec::new(),
            error: None,
        }
    }
}

/// Returns the spans that end with a recorded turn of an instance; their ends are set when it is written.
pub(super) fn of_turn(traced: &mut Option<Box<Traced>>, recorded: &Recorded, record: &InstanceRecord) -> Vec<Span> {
    let Recorded { execution, turn, events, .. } = recorded;
    let (trace, mut spans) = follow(traced, *execution, events);
    let (Some(trace), Some(since)) = (trace, began(events)) else { return spans };
    let whole = execution_span(*execution);
    for span in spans.iter_mut().filter(|span| span.id == whole) {
        span.name = format!("orchestrator {}", record.name);
        span.attributes.push(("warren.status", record.status.to_string().into()));
    }
    spans.push(Span {
        trace,
        id: turn_span(*execution, *turn),
        parent: whole,
        name: "turn".into(),
        kind: Kind::Internal,
        start_ns: nanoseconds(since),
        end_ns: 0,
        attributes: vec![("warren.turn", Value::from(*turn))],
        error: None,
    });
    for span in &mut spans {
        span.attributes.push(("warren.instance", record.id.to_string().into()));
        span.attributes.push(("warren.execution", execution.to_string().into()));
    }
    spans
}

/// Follows an execution through the events of a turn; returns its trace, if it is in one, and the spans that end.
fn follow(traced: &mut Option<Box<Traced>>, execution: ExecutionId, events: &[Event]) -> (Option<u128>, Vec<Span>) {
    let mut trace = traced.as_ref().map(|traced| traced.context.trace);
    let mut spans = Vec::new();
    let Some(at) = began(events) else { return (trace, spans) };
    for event in events {
        if let Event::ExecutionStarted(started) = event {
            *traced = Traced::begin(execution, started, at);
            trace = traced.as_ref().map(|traced| traced.context.trace);
        }
        let Some(now) = traced else { continue };
        match event {
            Event::TaskScheduled(task) => {
                now.ask(task.id, task.attempt, format!("activity {}", task.name), at, Kind::Producer);
            }
            Event::SubOrchestrationInstanceCreated(child) => {
                now.ask(child.id, child.attempt, format!("child {}", child.name), at, Kind::Producer);
            }
            Event::TimerCreated(timer) => now.ask(timer.id, 1, "timer".into(), at, Kind::Internal),
            Event::TaskCompleted { id, .. }
            | Event::TaskCanceled { id }
            | Event::SubOrchestrationInstanceCompleted { id, .. }
            | Event::TimerFired { id }
            | Event::TimerCanceled { id } => spans.extend(now.end(*id, None)),
            Event::TaskFailed { id, failure } | Event::SubOrchestrationInstanceFailed { id, failure } => {
                spans.extend(now.end(*id, Some(failure)));
            }
            Event::ExecutionCompleted(_) | Event::ExecutionTerminated(_) | Event::ContinueAsNew(_) => {
                spans.extend(traced.take().into_iter().flat_map(|traced| traced.close(code_of(event))));
            }
            Event::OrchestratorStarted(_)
            | Event::ExecutionStarted(_)
            | Event::EventRaised(_)
            | Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::TerminateSent(_) => {}
        }
    }
    (trace, spans)
}

/// Returns the code of the failure with which an event ends an execution.
fn code_of(event: &Event) -> Option<String> {
    ended_by(event)?.err().map(|failure| failure.code)
}

/// Returns when a turn began.
fn began(events: &[Event]) -> Option<Timestamp> {
    let Some(Event::OrchestratorStarted(started)) = events.first() else { return None };
    Some(started.at)
}

pub(super) fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}
