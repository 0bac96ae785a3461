//! What a recorded turn sends, as a function of what it recorded.

use std::collections::{BTreeMap, BTreeSet};

use warren_model::{
    ActionId, AnswerTo, ChildStart, Event, EventRaised, ExecutionId, ExecutionStarted, Failure, InstanceId,
    InstanceRecord, Outcome, Outgoing, Parent, PartitionMessage, Status, TraceContext, TurnRecord, code,
    trace::action_span,
};

use crate::instance::trace_of;

/// Whose turn it is and who waits for it; from the instance's row, or from the entry of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The instance.
    pub instance: InstanceId,
    /// The execution.
    pub execution: ExecutionId,
    /// Who waits for its outcome as a parent.
    pub parent: Option<Parent>,
    /// Who else is told the outcome.
    pub answer_to: Option<AnswerTo>,
    /// The trace that the execution's start continues.
    pub trace: Option<TraceContext>,
}

impl Sender {
    /// Returns the sender of a turn of `execution`, in a trace or in none.
    pub fn of(record: &InstanceRecord, execution: ExecutionId, trace: Option<TraceContext>) -> Self {
        Self {
            instance: record.id.clone(),
            execution,
            parent: record.parent.clone(),
            answer_to: record.answer_to.clone(),
            trace,
        }
    }

    /// Returns the sender of the turns of an instance's present execution.
    pub fn restore(record: &InstanceRecord, turns: &[TurnRecord]) -> Self {
        let events = turns.iter().take(1).flat_map(|turn| &turn.events);
        let mut started =
            events.filter_map(|event| if let Event::ExecutionStarted(started) = event { Some(started) } else { None });
        Self::of(record, record.execution, started.next().and_then(trace_of))
    }

    /// Returns the trace context of an attempt that this sender asks for.
    fn traceparent(&self, action: ActionId, attempt: u32) -> Option<String> {
        self.trace.map(|trace| trace.under(action_span(self.execution, action, attempt)).to_string())
    }
}

/// Returns what a turn with these events sends, in order. The same events give the same messages, whoever asks.
///
/// What has a payload over `payload_max` bytes sends nothing: the turn itself has failed it. To rebuild the messages of a
/// turn, give the limit that it ran under.
pub fn messages(sender: &Sender, events: &[Event], payload_max: usize) -> Vec<Outgoing> {
    let canceled: BTreeSet<ActionId> = events.iter().filter_map(canceled).collect();
    let mut out = Vec::new();
    for event in events {
        match event {
            Event::TaskScheduled(task) if canceled.contains(&task.id) => {}
            Event::TaskScheduled(task) if task.input.size() <= payload_max => out.push(Outgoing::WorkItem {
                instance: sender.instance.clone(),
                execution: sender.execution,
                task: task.clone(),
                traceparent: sender.traceparent(task.id, task.attempt),
            }),
            Event::SubOrchestrationInstanceCreated(child) if child.input.size() <= payload_max => {
                let started = ExecutionStarted {
                    name: child.name.clone(),
                    version: child.version.clone(),
                    input: child.input.clone(),
                    parent: Some(parent(sender, child.id, child.attempt)),
                    answer_to: None,
                    tags: BTreeMap::new(),
                    traceparent: sender.traceparent(child.id, child.attempt),
                };
                let start = ChildStart { instance: child.instance.clone(), started };
                out.push(Outgoing::ToPartition(PartitionMessage::ChildStart(start)));
            }
            Event::EventSent(sent) if sent.input.size() <= payload_max => {
                out.push(Outgoing::ToPartition(PartitionMessage::Raise {
                    instance: sent.instance.clone(),
                    event: EventRaised { name: sent.name.clone(), input: sent.input.clone() },
                }))
            }
            Event::TerminateSent(sent) => out.push(Outgoing::ToPartition(PartitionMessage::Terminate {
                instance: sent.instance.clone(),
                parent: parent(sender, sent.id, sent.attempt),
                reason: sent.reason.clone(),
            })),
            Event::ExecutionCompleted(completed) => {
                let status = if completed.outcome.is_ok() { Status::Completed } else { Status::Failed };
                end(sender, status, &completed.outcome, &mut out);
            }
            Event::ExecutionTerminated(terminated) => {
                let reason = terminated.reason.clone().unwrap_or_else(|| "terminated".into());
                end(sender, Status::Terminated, &Err(Failure::permanent(code::TERMINATED, reason)), &mut out);
            }
            Event::OrchestratorStarted(_)
            | Event::ExecutionStarted(_)
            | Event::TaskScheduled(_)
            | Event::SubOrchestrationInstanceCreated(_)
            | Event::EventSent(_)
            | Event::TaskCompleted { .. }
            | Event::TaskFailed { .. }
            | Event::TaskCanceled { .. }
            | Event::SubOrchestrationInstanceCompleted { .. }
            | Event::SubOrchestrationInstanceFailed { .. }
            | Event::TimerCreated(_)
            | Event::TimerFired { .. }
            | Event::TimerCanceled { .. }
            | Event::EventRaised(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::ContinueAsNew(_) => {}
        }
    }
    out
}

fn canceled(event: &Event) -> Option<ActionId> {
    if let Event::TaskCanceled { id } = event { Some(*id) } else { None }
}

fn parent(sender: &Sender, task: ActionId, attempt: u32) -> Parent {
    Parent { instance: sender.instance.clone(), execution: sender.execution, task, attempt }
}

fn end(sender: &Sender, status: Status, outcome: &Outcome, out: &mut Vec<Outgoing>) {
    if let Some(parent) = &sender.parent {
        let (parent, outcome) = (parent.clone(), outcome.clone());
        out.push(Outgoing::ToPartition(PartitionMessage::ChildEnded { parent, outcome }));
    }
    if let Some(to) = &sender.answer_to {
        out.push(Outgoing::Outcome {
            to: to.clone(),
            instance: sender.instance.clone(),
            execution: sender.execution,
            status,
            outcome: outcome.clone(),
        });
    }
}

#[cfg(test)]
#[path = "messages_test.rs"]
mod test;
