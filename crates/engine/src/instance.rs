//! An instance in memory: its row, and what it waits for.

use std::collections::BTreeMap;

use warren_model::{
    ActionId, ClosePolicy, Condition, ConditionKind, Event, ExecutionId, ExecutionStarted, Failure, InstanceId,
    InstanceRecord, MessageId, Outcome, Status, Timeouts, Timestamp, TraceContext, TurnRecord, code,
};

use crate::{Identity, weight};

/// How large an instance may grow; settings of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most events in one execution's history; then the instance is parked.
    pub history_events: u64,
    /// Most bytes in one execution's history; then the instance is parked.
    pub history_bytes: u64,
    /// Most bytes in one payload; a task, a child, an event or an outcome beyond it fails.
    pub payload_bytes: usize,
}

/// How much is kept of the message of a failure that is over the limit.
const MESSAGE_CHARS_KEPT: usize = 1_000;

impl Limits {
    /// Returns the outcome if it is within the limit for payloads; else the failure that takes its place. A failure over
    /// the limit keeps its code and the beginning of its message: what can't be sent would hold up what comes behind it.
    pub fn bound(&self, what: &str, outcome: Outcome) -> Outcome {
        let (size, max) = (weight::of_outcome(&outcome), self.payload_bytes);
        if size <= max {
            return outcome;
        }
        Err(match outcome {
            Ok(_) => self.too_large(what, size),
            Err(failure) => {
                let kept: String = failure.message.chars().take(MESSAGE_CHARS_KEPT).collect();
                let code = failure.code.chars().take(MESSAGE_CHARS_KEPT).collect::<String>();
                let message = format!("{kept} (cut: the failure has {size} bytes, at most {max} are allowed)");
                Failure { retryable: failure.retryable, ..Failure::new(code, message) }
            }
        })
    }

    /// Returns the failure of something whose payload is over the limit.
    pub(crate) fn too_large(&self, what: &str, size: usize) -> Failure {
        let max = self.payload_bytes;
        Failure::permanent(
            code::PAYLOAD_TOO_LARGE,
            format!(
                "{what} has {size} bytes, at most {max} are allowed: pass a reference, or raise payload_megabytes_max"
            ),
        )
    }
}

impl Default for Limits {
    /// 500,000 events, 256 MiB and 4 MiB: far above what is wise, below what hurts the owner's other instances.
    fn default() -> Self {
        Self { history_events: 500_000, history_bytes: 256 << 20, payload_bytes: 4 << 20 }
    }
}

/// What an execution waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Task {
        attempt: u32,
        /// How long it may take, if there is a limit.
        timeouts: Option<Box<Timeouts>>,
    },
    Child {
        attempt: u32,
        instance: InstanceId,
        close: ClosePolicy,
    },
    Timer,
}

impl Open {
    /// Returns whether a timer of the task's own id says by when a worker must have begun it.
    pub(crate) fn is_timed_task(&self) -> bool {
        matches!(self, Self::Task { timeouts: Some(limits), .. } if limits.schedule_to_start_ms.is_some())
    }

    /// Returns whether it is this attempt of a task.
    pub(crate) fn is_task(&self, number: u32) -> bool {
        matches!(self, Self::Task { attempt, .. } if *attempt == number)
    }
}

/// An instance as its owner holds it: the row of the store, and the open actions that history implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The row.
    pub record: InstanceRecord,
    pub(crate) open: BTreeMap<ActionId, Open>,
    /// Whether the present execution has its `ExecutionStarted`.
    pub(crate) begun: bool,
    /// Whether the store may have timers of it.
    pub(crate) has_timers: bool,
    /// The trace that its start continues, if there is one.
    pub trace: Option<TraceContext>,
}

impl Instance {
    /// Returns the instance that a start begins; it has not run yet.
    pub fn accept(
        id: InstanceId,
        execution: ExecutionId,
        cause: MessageId,
        started: &ExecutionStarted,
        now: Timestamp,
    ) -> Self {
        let record = InstanceRecord {
            id,
            execution,
            name: started.name.clone(),
            version: started.version.clone(),
            status: Status::Pending,
            condition: None,
            turn: 0,
            created_at: now,
            updated_at: now,
            custom_status: None,
            parent: started.parent.clone(),
            answer_to: started.answer_to.clone(),
            start_id: cause,
            tags: started.tags.clone(),
            history_events: 0,
            history_bytes: 0,
        };
        Self { record, open: BTreeMap::new(), begun: false, has_timers: false, trace: trace_of(started) }
    }

    /// Returns an instance whose history can't be read: it holds what arrives until somebody has mended that, and only
    /// a terminate still reaches it.
    pub fn corrupt(record: InstanceRecord, message: String) -> Self {
        // As if it had begun: what it waits for is unknown, so nothing may be judged by it.
        let mut instance = Self { record, open: BTreeMap::new(), begun: true, has_timers: true, trace: None };
        instance.park(ConditionKind::Corrupt, message);
        instance
    }

    /// Returns the instance that a row and the turns of its present execution describe.
    pub fn restore(record: InstanceRecord, turns: &[TurnRecord]) -> Self {
        let mut instance = Self { record, open: BTreeMap::new(), begun: false, has_timers: false, trace: None };
        if !instance.record.status.is_terminal() {
            turns.iter().flat_map(|turn| &turn.events).for_each(|event| instance.note(event));
        }
        instance
    }

    /// Returns which execution a program is to run for it.
    pub fn identity(&self) -> Identity {
        Identity {
            instance: self.record.id.clone(),
            execution: self.record.execution,
            name: self.record.name.clone(),
            version: self.record.version.clone(),
        }
    }

    /// Returns whether it can run now: it has not ended, is not suspended and nothing keeps it from going on.
    pub fn can_run(&self) -> bool {
        self.record.condition.is_none() && matches!(self.record.status, Status::Pending | Status::Running)
    }

    /// Keeps the instance from running until [`Instance::retry`]; what arrives is held.
    pub fn park(&mut self, kind: ConditionKind, message: String) {
        self.record.condition = Some(Condition { kind, message, details: None });
    }

    /// Lets a parked instance try again.
    pub fn retry(&mut self) {
        self.record.condition = None;
    }

    /// Returns whether it waits for this attempt of a task of this execution.
    pub fn has_open_task(&self, execution: ExecutionId, task: ActionId, attempt: u32) -> bool {
        let open = self.open.get(&task).filter(|_| execution == self.record.execution);
        open.is_some_and(|open| open.is_task(attempt))
    }

    /// Returns whether a timer says by when a worker must have begun the task.
    pub(crate) fn is_timed(&self, task: ActionId) -> bool {
        self.open.get(&task).is_some_and(Open::is_timed_task)
    }

    /// Returns how long an open task may take.
    pub fn timeouts(&self, task: ActionId) -> Timeouts {
        match self.open.get(&task) {
            Some(Open::Task { timeouts: Some(timeouts), .. }) => **timeouts,
            Some(Open::Task { .. } | Open::Child { .. } | Open::Timer) | None => Timeouts::default(),
        }
    }

    /// Returns how many actions it waits for.
    pub fn open_actions(&self) -> usize {
        self.open.len()
    }

    /// Keeps the open actions in step with an event of history.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::TaskScheduled(task) => {
                let timeouts = (!task.timeouts.is_none()).then(|| Box::new(task.timeouts));
                self.open.insert(task.id, Open::Task { attempt: task.attempt, timeouts });
                self.has_timers |= task.timeouts.schedule_to_start_ms.is_some();
            }
            Event::SubOrchestrationInstanceCreated(child) => {
                let open = Open::Child { attempt: child.attempt, instance: child.instance.clone(), close: child.close };
                self.open.insert(child.id, open);
            }
            Event::TimerCreated(timer) => {
                self.open.insert(timer.id, Open::Timer);
                self.has_timers = true;
            }
            Event::TaskCompleted { id, .. }
            | Event::TaskFailed { id, .. }
            | Event::TaskCanceled { id }
            | Event::SubOrchestrationInstanceCompleted { id, .. }
            | Event::SubOrchestrationInstanceFailed { id, .. }
            | Event::TimerFired { id }
            | Event::TimerCanceled { id } => {
                self.open.remove(id);
            }
            Event::ExecutionCompleted(_) | Event::ExecutionTerminated(_) | Event::ContinueAsNew(_) => self.open.clear(),
            Event::ExecutionStarted(started) => {
                self.begun = true;
                self.trace = trace_of(started);
            }
            Event::OrchestratorStarted(_)
            | Event::EventRaised(_)
            | Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::TerminateSent(_) => {}
        }
    }
}

/// Returns the trace that an execution continues. What is no trace context is ignored, as its standard asks.
pub(crate) fn trace_of(started: &ExecutionStarted) -> Option<TraceContext> {
    started.traceparent.as_ref()?.parse().ok()
}
