//! What an execution still waits for, as it was sent.

use warren_model::{Event, InstanceRecord, Outgoing, PartitionMessage, Timestamp, TurnRecord};

use crate::{Instance, Sender, instance::Open, messages};

/// Something that an execution has asked for and that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// When it was asked for.
    pub since: Timestamp,
    /// What was sent: the same work item, or the same start of a child.
    pub message: Outgoing,
}

/// Returns the open tasks and children of an instance's present execution, in the order in which they were asked for.
///
/// Pure, and without the program: what is open follows from history alone.
pub fn waiting(record: &InstanceRecord, turns: &[TurnRecord]) -> Vec<Waiting> {
    let instance = Instance::restore(record.clone(), turns);
    let sender = Sender::of(record, record.execution, instance.trace);
    let mut since = record.created_at;
    let mut waiting = Vec::new();
    for turn in turns {
        if let Some(Event::OrchestratorStarted(started)) = turn.events.first() {
            since = started.at;
        }
        // What was over the limit for payloads has failed at once, so it is not open.
        let sent = messages(&sender, &turn.events, usize::MAX).into_iter();
        let open = sent.filter(|message| instance.waits_for(message));
        waiting.extend(open.map(|message| Waiting { since, message }));
    }
    waiting
}

impl Instance {
    /// Returns whether it waits for the work item or the child that the message asks for.
    pub fn waits_for(&self, message: &Outgoing) -> bool {
        match message {
            Outgoing::WorkItem { execution, task, .. } => self.has_open_task(*execution, task.id, task.attempt),
            Outgoing::ToPartition(PartitionMessage::ChildStart(start)) => {
                start.started.parent.as_ref().is_some_and(|parent| {
                    let open = self.open.get(&parent.task);
                    parent.execution == self.record.execution
                        && matches!(open, Some(Open::Child { attempt, .. }) if *attempt == parent.attempt)
                })
            }
            Outgoing::ToPartition(
                PartitionMessage::ChildEnded { .. }
                | PartitionMessage::Raise { .. }
                | PartitionMessage::Terminate { .. }
                | PartitionMessage::Vanished { .. },
            )
            | Outgoing::Outcome { .. } => false,
        }
    }
}

#[cfg(test)]
#[path = "waiting_test.rs"]
mod test;
