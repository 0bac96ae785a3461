//! Replay: a program is brought to where history ends, and must ask for the same on the way.

use warren_model::{Condition, ConditionKind, Event, Payload, TurnRecord};

use crate::{Program, Progress, first_difference};

/// Where a program and its history part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The turn, from 0.
    pub turn: usize,
    /// What history holds there; `None` if it holds no further action.
    pub recorded: Option<Event>,
    /// What the code asks for there; `None` if it asks for nothing further.
    pub emitted: Option<Event>,
    /// What else there is to say (the code returned, panicked, …).
    pub note: Option<String>,
}

/// Feeds the recorded turns to a program that has not begun, and compares at every turn's end: no action may be missing,
/// none extra, and every field must be equal (H17).
pub fn replay(program: &mut dyn Program, turns: &[TurnRecord]) -> Result<(), Box<Divergence>> {
    for (turn, record) in turns.iter().enumerate() {
        let inputs: Vec<Event> = record.events.iter().filter(|event| event.is_input()).cloned().collect();
        if inputs.iter().all(|event| matches!(event, Event::OrchestratorStarted(_))) {
            continue;
        }
        let reaction = program.react(&inputs, true);
        let mut recorded = record.events.iter().filter(|event| event.is_action());
        let mut emitted = reaction.actions.into_iter().filter_map(warren_model::Action::into_event);
        loop {
            match (recorded.next(), emitted.next()) {
                (None, None) => break,
                (recorded, emitted) if recorded == emitted.as_ref() => {}
                (recorded, emitted) => {
                    let note = panic_text(&reaction.progress);
                    return Err(Box::new(Divergence { turn, recorded: recorded.cloned(), emitted, note }));
                }
            }
        }
        if let Some(note) = end_text(&reaction.progress) {
            return Err(Box::new(Divergence { turn, recorded: None, emitted: None, note: Some(note) }));
        }
    }
    Ok(())
}

fn panic_text(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Panicked { message } => Some(format!("the code panicked: {message}")),
        Progress::Waiting | Progress::Ended(_) | Progress::ContinuedAsNew { .. } | Progress::Stuck { .. } => None,
    }
}

/// History that is replayed always ends with a program that waits.
fn end_text(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Waiting => None,
        Progress::Ended(Ok(_)) => Some("history goes on, the code returned a result".into()),
        Progress::Ended(Err(failure)) => Some(format!("history goes on, the code returned the failure {failure}")),
        Progress::ContinuedAsNew { .. } => Some("history goes on, the code continued as new".into()),
        Progress::Stuck { message } => Some(format!("history goes on, the code is stuck: {message}")),
        Progress::Panicked { message } => Some(format!("the code panicked: {message}")),
    }
}

impl Divergence {
    /// Returns the condition that the divergence puts an instance of `orchestrator` in: both sides, the first field that
    /// differs, and what to do.
    pub fn condition(&self, orchestrator: &str) -> Condition {
        let side = |event: &Option<Event>, nothing: &str| match event {
            Some(event) => describe(event),
            None => nothing.to_owned(),
        };
        let recorded = side(&self.recorded, "nothing further");
        let emitted = side(&self.emitted, "nothing further");
        let difference = match (&self.recorded, &self.emitted) {
            (Some(recorded), Some(emitted)) => difference(recorded, emitted),
            _ => None,
        };
        let mut message = format!(
            "the code of {orchestrator} no longer does what its history says. In turn {}, history recorded {recorded}; \
             the code asked for {emitted}.",
            self.turn
        );
        if let Some(found) = &difference {
            message += &format!(" First difference: {}: {} ≠ {}.", found.field, found.left, found.right);
        }
        if let Some(note) = &self.note {
            message += &format!(" Also, {note}.");
        }
        message += " Put the code back, or register the changed code as a new version; the instance then goes on.";
        let details = serde_json::json!({
            "turn": self.turn,
            "recorded": self.recorded,
            "emitted": self.emitted,
            "field": difference.map(|found| found.field),
            "note": self.note,
        });
        Condition { kind: ConditionKind::Blocked, message, details: Payload::of(&details).ok() }
    }
}

fn difference(recorded: &Event, emitted: &Event) -> Option<crate::Difference> {
    if recorded.name() != emitted.name() {
        return Some(crate::Difference {
            field: "event".into(),
            left: recorded.name().into(),
            right: emitted.name().into(),
        });
    }
    let mut found = first_difference(recorded, emitted)?;
    let prefix = format!("{}.", recorded.name());
    if let Some(short) = found.field.strip_prefix(&prefix) {
        found.field = short.to_owned();
    }
    Some(found)
}

/// Says in a few words which action an event records.
fn describe(event: &Event) -> String {
    let name = event.name();
    match event {
        Event::TaskScheduled(task) => format!("{name} {:?} (action {})", task.name, task.id),
        Event::SubOrchestrationInstanceCreated(child) => format!("{name} {:?} (action {})", child.name, child.id),
        Event::TimerCreated(timer) => format!("{name} for {} (action {})", timer.fire_at, timer.id),
        Event::TaskCanceled { id } | Event::TimerCanceled { id } => format!("{name} (of action {id})"),
        Event::EventSent(sent) => format!("{name} {:?} to {} (action {})", sent.name, sent.instance, sent.id),
        Event::OrchestratorStarted(_)
        | Event::ExecutionStarted(_)
        | Event::TaskCompleted { .. }
        | Event::TaskFailed { .. }
        | Event::SubOrchestrationInstanceCompleted { .. }
        | Event::SubOrchestrationInstanceFailed { .. }
        | Event::TimerFired { .. }
        | Event::EventRaised(_)
        | Event::ExecutionSuspended(_)
        | Event::ExecutionResumed(_)
        | Event::ExecutionTerminated(_)
        | Event::TerminateSent(_)
        | Event::ExecutionCompleted(_)
        | Event::ContinueAsNew(_) => name.to_owned(),
    }
}

#[cfg(test)]
#[path = "replay_test.rs"]
mod test;
