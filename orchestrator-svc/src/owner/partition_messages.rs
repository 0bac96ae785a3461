//! Word from other partitions: children that start and end, events, terminations.

use warren_engine::Programs;
use warren_model::{
    ChildEnded, ChildStart, EventRaised, Failure, InboxMessage, InstanceId, InstanceRecord, Parent, PartitionMessage,
    code, limits::SHORT_STRING_BYTES_MAX,
};
use warren_store::OutboxEntry;

use super::{
    Owner,
    batch::{Origin, Work},
};

/// Longest name of an orchestrator or a version, as in a client's start.
const NAME_BYTES_MAX: usize = SHORT_STRING_BYTES_MAX;

impl<P: Programs> Owner<P> {
    pub(super) fn partition_message(&mut self, message: PartitionMessage, work: &mut Work) {
        match message {
            PartitionMessage::ChildStart(start) => self.start_child(start, work),
            PartitionMessage::ChildEnded { parent, outcome } => {
                let Parent { instance, execution, task, attempt } = parent;
                let message = InboxMessage::Child(ChildEnded { execution, task, attempt, outcome });
                if self.trouble(&instance).is_some() {
                    self.hold(&instance, message, None, work);
                } else if self.is_alive(&instance) {
                    work.push(&instance, message, Origin::Message);
                }
            }
            PartitionMessage::Raise { instance, event } => self.raised_by_another(instance, event, work),
            PartitionMessage::Terminate { instance, parent, reason } => {
                let live = self.cache.get(&instance).and_then(|slot| slot.live.as_ref());
                let is_child = live.is_some_and(|live| is_child_of(&live.instance.record, &parent));
                if is_child && self.is_alive(&instance) {
                    let message = InboxMessage::Terminate { reason: Some(reason), recursive: true };
                    work.push(&instance, message, Origin::Message);
                } else if let Some(why) = self.trouble(&instance) {
                    // Whether it is that parent's child can't be told, and to end another's would be worse.
                    tracing::error!(%instance, parent = %parent.instance, why, "child can't be read, it is not terminated");
                }
            }
            PartitionMessage::Vanished { word, reason } => self.vanished(*word, reason, work),
        }
    }

    /// Says of a word whose payload is gone what becomes of it: nobody waits for ever.
    fn vanished(&mut self, word: PartitionMessage, reason: String, work: &mut Work) {
        tracing::error!(partition = %self.me, instance = %word.target(), %reason, "word from a partition has lost its payload");
        match word {
            PartitionMessage::ChildStart(ChildStart { started, .. }) => {
                if let Some(parent) = started.parent {
                    self.refuse_child(parent, code::PAYLOAD_MISSING, reason, work);
                }
            }
            PartitionMessage::Raise { instance, event } => {
                self.give_up(instance, event, ("payload_missing", reason), work)
            }
            PartitionMessage::ChildEnded { .. }
            | PartitionMessage::Terminate { .. }
            | PartitionMessage::Vanished { .. } => {}
        }
    }

    fn raised_by_another(&mut self, instance: InstanceId, event: EventRaised, work: &mut Work) {
        let slot = self.cache.get(&instance);
        let (is_seen, held) = slot.map_or((false, 0), |slot| (slot.live.is_some(), slot.pending.len()));
        if held >= self.settings.mailbox_messages {
            let reason = format!("instance {instance} holds {held} messages already and can't run: see its condition");
            self.give_up(instance, event, ("mailbox_full", reason), work);
        } else if self.trouble(&instance).is_some() {
            self.hold(&instance, InboxMessage::Raise(event), None, work);
        } else if self.is_alive(&instance) {
            work.push(&instance, InboxMessage::Raise(event), Origin::Message);
        } else if is_seen {
            tracing::info!(%instance, event = %event.name, "event for an instance that has ended, dropped");
        } else {
            let expires_at = Some(self.now + self.settings.unseen_event);
            self.hold(&instance, InboxMessage::Raise(event), expires_at, work);
        }
    }

    /// Starts a child, unless its id is taken.
    fn start_child(&mut self, start: ChildStart, work: &mut Work) {
        let ChildStart { instance, started } = start;
        let Some(parent) = started.parent.clone() else { return };
        let cause = ChildStart::cause(&parent);
        if let Some(why) = self.trouble(&instance) {
            let message = format!("instance {instance} exists already, and its row can't be read: {why}");
            return self.refuse_child(parent, code::INSTANCE_EXISTS, message, work);
        }
        if let Some(text) = [Some(&started.name), started.version.as_ref()].into_iter().flatten().find(|t| !is_name(t))
        {
            let text: String = text.chars().take(NAME_BYTES_MAX).collect();
            let message = format!(
                "{text:?} names no orchestrator or version: expected 1 to {NAME_BYTES_MAX} printable characters"
            );
            return self.refuse_child(parent, code::INVALID_INPUT, message, work);
        }
        let existing = self.cache.get(&instance).and_then(|slot| slot.live.as_ref());
        let Some(live) = existing else {
            if self.known(&cause, work).is_some() {
                let message = format!("instance {instance} has ended, and was purged before its parent was told how");
                return self.refuse_child(parent, code::PURGED, message, work);
            }
            return self.accept(&instance, cause, started, Origin::Message, work);
        };
        let record = &live.instance.record;
        if record.start_id == cause {
            return self.end_again(&instance, parent, work);
        }
        if is_replaced_by(record, &parent) {
            work.entries.push(OutboxEntry::Over { instance: instance.clone(), execution: record.execution });
            return self.accept(&instance, cause, started, Origin::Message, work);
        }
        let message = format!("instance {instance} exists already, it is {}: give the child another id", record.status);
        self.refuse_child(parent, code::INSTANCE_EXISTS, message, work);
    }

    /// Tells a parent once more how its child has ended, if it has: the start was sent again, so the parent has not heard.
    fn end_again(&mut self, child: &InstanceId, parent: Parent, work: &mut Work) {
        let outcome = self.cache.get(child).and_then(|slot| slot.outcome.clone());
        if let Some(outcome) = outcome {
            self.send(PartitionMessage::ChildEnded { parent, outcome }, work);
        }
    }

    fn refuse_child(&mut self, parent: Parent, code: &str, message: String, work: &mut Work) {
        let outcome = Err(Failure::permanent(code, message));
        self.send(PartitionMessage::ChildEnded { parent, outcome }, work);
    }

    /// Sends a message to a partition that belongs to no turn.
    pub(super) fn send(&mut self, message: PartitionMessage, work: &mut Work) {
        let target = self.codec.partitions().of(message.target());
        let sequence = self.links.number(target);
        let outgoing = warren_model::Outgoing::ToPartition(message.clone());
        match self.codec.outgoing(&outgoing, self.me, Some((self.me, sequence))) {
            Ok(publication) => {
                work.tracked.push((work.entries.len(), publication));
                work.entries.push(OutboxEntry::Message { target, sequence, message });
            }
            Err(malformed) => tracing::error!(reason = %malformed.reason, "message to a partition can't be written"),
        }
    }
}

/// Returns whether a text may name an orchestrator or a version, as it may in a client's start: it is a column of the
/// instance's row, and one that a database refuses would be refused again and again.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Returns whether the row is that of a child which the same parent had before, by an earlier attempt or in an earlier
/// execution, and which has ended: the child that it asks for now replaces it. What a parent asks for comes in order, so
/// that nothing earlier replaces something later.
fn is_replaced_by(record: &InstanceRecord, parent: &Parent) -> bool {
    let is_earlier = |before: &Parent| before.execution != parent.execution || before.task < parent.task;
    let before = record.parent.as_ref().filter(|before| before.instance == parent.instance);
    record.status.is_terminal() && before.is_some_and(is_earlier)
}

fn is_child_of(record: &InstanceRecord, parent: &Parent) -> bool {
    let of = record.parent.as_ref();
    of.is_some_and(|p| p.instance == parent.instance && p.execution == parent.execution && p.task == parent.task)
}
