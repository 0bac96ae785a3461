//! An instance in memory: its row, and what it waits for.

use std::collections::BTreeMap;

use warren_model::{
    ActionId, ClosePolicy, Condition, ConditionKind, Event, ExecutionId, ExecutionStarted, InstanceId, InstanceRecord,
    MessageId, Status, Timestamp, TurnRecord,
};

use crate::Identity;

/// How large an instance may grow; settings of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most events in one execution's history; then the instance is parked.
    pub history_events: u64,
    /// Most bytes in one execution's history; then the instance is parked.
    pub history_bytes: u64,
    /// Most bytes in one payload; a task, a result or an outcome beyond it fails.
    pub payload_bytes: usize,
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
    Task { attempt: u32 },
    Child { attempt: u32, instance: InstanceId, close: ClosePolicy },
    Timer,
}

/// An instance as its owner holds it: the row of the store, and the open actions that history implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The row.
    pub record: InstanceRecord,
    pub(crate) open: BTreeMap<ActionId, Open>,
    /// Whether the present execution has its `ExecutionStarted`.
    pub(crate) begun: bool,
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
        Self { record, open: BTreeMap::new(), begun: false }
    }

    /// Returns the instance that a row and the turns of its present execution describe.
    pub fn restore(record: InstanceRecord, turns: &[TurnRecord]) -> Self {
        let mut instance = Self { record, open: BTreeMap::new(), begun: false };
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

    /// Returns how many actions it waits for.
    pub fn open_actions(&self) -> usize {
        self.open.len()
    }

    /// Keeps the open actions in step with an event of history.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::TaskScheduled(task) => {
                self.open.insert(task.id, Open::Task { attempt: task.attempt });
            }
            Event::SubOrchestrationInstanceCreated(child) => {
                let open = Open::Child { attempt: child.attempt, instance: child.instance.clone(), close: child.close };
                self.open.insert(child.id, open);
            }
            Event::TimerCreated(timer) => {
                self.open.insert(timer.id, Open::Timer);
            }
            Event::TaskCompleted { id, .. }
            | Event::TaskFailed { id, .. }
            | Event::SubOrchestrationInstanceCompleted { id, .. }
            | Event::SubOrchestrationInstanceFailed { id, .. }
            | Event::TimerFired { id }
            | Event::TimerCanceled { id } => {
                self.open.remove(id);
            }
            Event::ExecutionCompleted(_) | Event::ExecutionTerminated(_) | Event::ContinueAsNew(_) => self.open.clear(),
            Event::ExecutionStarted(_) => self.begun = true,
            Event::OrchestratorStarted(_)
            | Event::EventRaised(_)
            | Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::TerminateSent(_) => {}
        }
    }
}
