//! Actions: what an orchestrator asks for.

use serde::Serialize;

use crate::{ActionId, Event, EventSent, Payload, SubOrchestrationCreated, TaskScheduled, TimerCreated};

/// One thing that an orchestrator asks for. All but the custom status are recorded as the event of the same content,
/// and replay must ask for the same again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// Run an activity.
    ScheduleTask(TaskScheduled),
    /// I don't wait for the activity any more; let its worker know.
    CancelTask {
        /// Which task.
        id: ActionId,
    },
    /// Wake me.
    CreateTimer(TimerCreated),
    /// Don't wake me after all.
    CancelTimer {
        /// Which timer.
        id: ActionId,
    },
    /// Run another orchestration and tell me its outcome.
    StartChild(SubOrchestrationCreated),
    /// Send another instance an event.
    SendEvent(EventSent),
    /// Show this to whoever asks for my status.
    SetCustomStatus(Payload),
}

impl Action {
    /// Returns the event that records the action; `None` for a custom status, which only the instance row holds.
    pub fn into_event(self) -> Option<Event> {
        match self {
            Self::ScheduleTask(task) => Some(Event::TaskScheduled(task)),
            Self::CancelTask { id } => Some(Event::TaskCanceled { id }),
            Self::CreateTimer(timer) => Some(Event::TimerCreated(timer)),
            Self::CancelTimer { id } => Some(Event::TimerCanceled { id }),
            Self::StartChild(child) => Some(Event::SubOrchestrationInstanceCreated(child)),
            Self::SendEvent(event) => Some(Event::EventSent(event)),
            Self::SetCustomStatus(_) => None,
        }
    }
}

impl Event {
    /// Returns whether the event records an action.
    pub fn is_action(&self) -> bool {
        match self {
            Self::TaskScheduled(_)
            | Self::TaskCanceled { .. }
            | Self::TimerCreated(_)
            | Self::TimerCanceled { .. }
            | Self::SubOrchestrationInstanceCreated(_)
            | Self::EventSent(_) => true,
            Self::OrchestratorStarted(_)
            | Self::ExecutionStarted(_)
            | Self::TaskCompleted { .. }
            | Self::TaskFailed { .. }
            | Self::SubOrchestrationInstanceCompleted { .. }
            | Self::SubOrchestrationInstanceFailed { .. }
            | Self::TimerFired { .. }
            | Self::EventRaised(_)
            | Self::ExecutionSuspended(_)
            | Self::ExecutionResumed(_)
            | Self::ExecutionTerminated(_)
            | Self::TerminateSent(_)
            | Self::ExecutionCompleted(_)
            | Self::ContinueAsNew(_) => false,
        }
    }

    /// Returns whether the orchestrator's code is told of the event (the rest is lifecycle, or its own actions).
    pub fn is_input(&self) -> bool {
        match self {
            Self::OrchestratorStarted(_)
            | Self::ExecutionStarted(_)
            | Self::TaskCompleted { .. }
            | Self::TaskFailed { .. }
            | Self::SubOrchestrationInstanceCompleted { .. }
            | Self::SubOrchestrationInstanceFailed { .. }
            | Self::TimerFired { .. }
            | Self::EventRaised(_) => true,
            Self::TaskScheduled(_)
            | Self::TaskCanceled { .. }
            | Self::TimerCreated(_)
            | Self::TimerCanceled { .. }
            | Self::SubOrchestrationInstanceCreated(_)
            | Self::EventSent(_)
            | Self::ExecutionSuspended(_)
            | Self::ExecutionResumed(_)
            | Self::ExecutionTerminated(_)
            | Self::TerminateSent(_)
            | Self::ExecutionCompleted(_)
            | Self::ContinueAsNew(_) => false,
        }
    }

    /// Returns the event's name, as history's JSON has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OrchestratorStarted(_) => "OrchestratorStarted",
            Self::ExecutionStarted(_) => "ExecutionStarted",
            Self::TaskScheduled(_) => "TaskScheduled",
            Self::TaskCompleted { .. } => "TaskCompleted",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::TaskCanceled { .. } => "TaskCanceled",
            Self::SubOrchestrationInstanceCreated(_) => "SubOrchestrationInstanceCreated",
            Self::SubOrchestrationInstanceCompleted { .. } => "SubOrchestrationInstanceCompleted",
            Self::SubOrchestrationInstanceFailed { .. } => "SubOrchestrationInstanceFailed",
            Self::TimerCreated(_) => "TimerCreated",
            Self::TimerFired { .. } => "TimerFired",
            Self::TimerCanceled { .. } => "TimerCanceled",
            Self::EventRaised(_) => "EventRaised",
            Self::EventSent(_) => "EventSent",
            Self::ExecutionSuspended(_) => "ExecutionSuspended",
            Self::ExecutionResumed(_) => "ExecutionResumed",
            Self::ExecutionTerminated(_) => "ExecutionTerminated",
            Self::TerminateSent(_) => "TerminateSent",
            Self::ExecutionCompleted(_) => "ExecutionCompleted",
            Self::ContinueAsNew(_) => "ContinueAsNew",
        }
    }
}
