//! How much memory and store things take, roughly: enough to bound a turn.

use warren_model::{Action, Event, Failure, Outcome, Payload};

/// What an event takes besides its payload.
const FIXED: usize = 128;

/// Returns the weight of an input of a turn.
pub(crate) fn of_input(event: &Event) -> usize {
    FIXED
        + match event {
            Event::ExecutionStarted(started) => started.input.size(),
            Event::TaskCompleted { result, .. } | Event::SubOrchestrationInstanceCompleted { result, .. } => {
                result.size()
            }
            Event::TaskFailed { failure, .. } | Event::SubOrchestrationInstanceFailed { failure, .. } => {
                of_failure(failure)
            }
            Event::EventRaised(raised) => raised.input.size(),
            Event::OrchestratorStarted(_)
            | Event::TaskScheduled(_)
            | Event::TaskCanceled { .. }
            | Event::SubOrchestrationInstanceCreated(_)
            | Event::TimerCreated(_)
            | Event::TimerFired { .. }
            | Event::TimerCanceled { .. }
            | Event::EventSent(_)
            | Event::ExecutionSuspended(_)
            | Event::ExecutionResumed(_)
            | Event::ExecutionTerminated(_)
            | Event::TerminateSent(_)
            | Event::ExecutionCompleted(_)
            | Event::ContinueAsNew(_) => 0,
        }
}

/// Returns the weight of an action.
pub(crate) fn of_action(action: &Action) -> usize {
    FIXED
        + match action {
            Action::ScheduleTask(task) => task.input.size() + task.progress.as_ref().map_or(0, Payload::size),
            Action::StartChild(child) => child.input.size(),
            Action::SendEvent(event) => event.input.size(),
            Action::SetCustomStatus(_)
            | Action::CancelTask { .. }
            | Action::CreateTimer(_)
            | Action::CancelTimer { .. } => 0,
        }
}

/// Returns the weight of an outcome.
pub(crate) fn of_outcome(outcome: &Outcome) -> usize {
    match outcome {
        Ok(result) => result.size(),
        Err(failure) => of_failure(failure),
    }
}

/// Returns the weight of a failure with its causes, as JSON has it: a character may take several.
fn of_failure(failure: &Failure) -> usize {
    serde_json::to_string(failure).map_or(0, |text| text.len())
}
