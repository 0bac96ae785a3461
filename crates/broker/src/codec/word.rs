//! What a worker says of an activity while it runs, and what its owner tells it: leases, progress, cancellation (H7).

use std::time::Duration;

use warren_model::{ActionId, AnswerTo, ExecutionId, InstanceId, MessageId, Payload, Token};

use super::{
    Codec, Inbound, Malformed, Permit, WorkItem,
    begin::read_permit,
    fields::Fields,
    outgoing::to_sender,
    wire::{self, header, kind},
    work_item::to_owner,
};
use crate::{Address, Delivery, Message, Publication, Text};

/// Which attempt of which task something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose task.
    pub instance: InstanceId,
    /// Which execution's.
    pub execution: ExecutionId,
    /// The task.
    pub task: ActionId,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// A worker runs an activity, and is still at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Which attempt it runs.
    pub of: Attempt,
    /// The activity, for a person.
    pub activity: String,
    /// What the worker calls itself, for a person.
    pub worker: String,
    /// What it says.
    pub beat: Beat,
    /// By which the answer names it.
    pub id: Option<MessageId>,
    /// Where the answer goes.
    pub answer_to: Option<AnswerTo>,
}

/// What a heartbeat says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// For how long the worker may be silent before it counts as lost; `None`: only the broker can tell.
    pub lease: Option<Duration>,
    /// Whether only the worker is alive: the activity itself has said nothing.
    pub is_workers: bool,
    /// Whether something else completes the task: nobody runs it any more.
    pub is_handed_over: bool,
    /// How far the activity has come.
    pub progress: Option<Payload>,
}

/// A worker stops before an activity has ended, and wants nobody blamed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandBack {
    /// Which attempt it ran.
    pub of: Attempt,
    /// What the worker calls itself, if it says so.
    pub worker: Option<String>,
    /// Whether the work item is acknowledged already: nobody gets it unless its owner sends it again.
    pub must_resend: bool,
    /// How far the activity has come.
    pub progress: Option<Payload>,
}

/// What an owner tells a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerWord {
    /// Whether it may begin a work item that came again.
    Permit {
        /// Which question is answered.
        question: String,
        /// The answer.
        permit: Permit,
        /// How far it had come when its last worker was lost.
        progress: Option<Payload>,
    },
    /// It is written down that the worker runs this: the work item may be acknowledged.
    Held {
        /// The work item's.
        token: Text,
        /// The id of the heartbeat that is answered, if it had one.
        id: Option<String>,
    },
    /// Nobody waits for this any more.
    Cancel {
        /// The work item's.
        token: Text,
    },
}

/// Returns the message that says that a worker is at it. Where the answer goes is filled in by who sends it.
pub fn heartbeat(item: &WorkItem, worker: &str, beat: &Beat, id: Option<&str>) -> Publication {
    let mut message = beating(beat).text(header::ACTIVITY, item.activity.clone());
    message.message_id = id.map(Text::from);
    to_owner(item, message, worker)
}

fn beating(beat: &Beat) -> Message {
    let body = beat.progress.as_ref().map_or("", Payload::as_str);
    let mut message = wire::message(kind::HEARTBEAT, body.as_bytes());
    if let Some(lease) = beat.lease {
        message = message.number(header::LEASE, i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
    }
    if beat.is_workers {
        message = message.flag(header::IS_WORKERS, true);
    }
    if beat.is_handed_over {
        message = message.flag(header::HANDED_OVER, true);
    }
    message
}

/// Returns the message with which a worker that stops gives an activity up.
pub fn hand_back(item: &WorkItem, worker: &str, must_resend: bool, progress: Option<&Payload>) -> Publication {
    let body = progress.map_or("", Payload::as_str);
    let message = wire::message(kind::HAND_BACK, body.as_bytes()).flag(header::RESEND, must_resend);
    to_owner(item, message, worker)
}

/// Reads what an owner says to a worker.
pub fn decode_owner_word(delivery: &Delivery) -> Result<OwnerWord, Malformed> {
    let fields = Fields(&delivery.message);
    let token = || {
        let token = fields.correlation_id()?;
        token.cloned().ok_or_else(|| Malformed::new("property correlation_id is missing: expected a token"))
    };
    match fields.kind() {
        Some(kind::HELD) => Ok(OwnerWord::Held { token: token()?, id: fields.maybe_text(header::QUESTION)? }),
        Some(kind::CANCEL) => Ok(OwnerWord::Cancel { token: token()? }),
        Some(_) | None => {
            let (question, permit) = read_permit(fields)?;
            Ok(OwnerWord::Permit { question, permit, progress: read_progress(fields)? })
        }
    }
}

impl Codec {
    /// Returns the message with which whoever has the token of a task, and no work item, says that it is still being done.
    /// Where the answer goes is filled in by who sends it; it names the token.
    pub fn beat(&self, token: &Token, sender: &str, beat: &Beat) -> Publication {
        let mut message = beating(beat).text(header::WORKER, sender);
        message.correlation_id = Some(token.text().into());
        let to = Address::Queue(self.control_queue(self.partitions().of(&token.instance)));
        Publication { to, mandatory: true, packs: false, message }
    }

    /// Returns how a worker is told that it is written down that it runs something.
    pub fn held(&self, to: &AnswerTo, id: Option<&MessageId>) -> Publication {
        to_sender(to, wire::message(kind::HELD, b"").maybe_text(header::QUESTION, id.map(MessageId::as_str)))
    }

    /// Returns how a worker is told that nobody waits for what it runs.
    pub fn cancel(&self, to: &AnswerTo) -> Publication {
        to_sender(to, wire::message(kind::CANCEL, b""))
    }

    pub(super) fn read_heartbeat(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        let fields = Fields(&delivery.message);
        let beat = Beat {
            lease: fields.number(header::LEASE)?.map(Duration::from_millis),
            is_workers: fields.flag(header::IS_WORKERS)?,
            is_handed_over: fields.flag(header::HANDED_OVER)?,
            progress: read_progress(fields)?,
        };
        Ok(Inbound::Heartbeat(Heartbeat {
            of: self.read_attempt(delivery)?,
            activity: fields.maybe_text(header::ACTIVITY)?.unwrap_or_default(),
            worker: fields.maybe_text(header::WORKER)?.unwrap_or_default(),
            beat,
            id: fields.message_id()?,
            answer_to: self.read_answer_to(fields)?,
        }))
    }

    pub(super) fn read_hand_back(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        let fields = Fields(&delivery.message);
        let (of, must_resend) = (self.read_attempt(delivery)?, fields.flag(header::RESEND)?);
        let worker = fields.maybe_text(header::WORKER)?;
        Ok(Inbound::HandBack(HandBack { of, worker, must_resend, progress: read_progress(fields)? }))
    }

    /// Reads which attempt a worker's message is about: a token that this hub has signed, at home here.
    pub(super) fn read_attempt(&self, delivery: &Delivery) -> Result<Attempt, Malformed> {
        let text = Fields(&delivery.message).correlation_id()?.ok_or_else(|| {
            Malformed::new("property correlation_id is missing: expected that of the work item, unchanged")
        })?;
        let token = self.verify(text)?;
        self.check_home(delivery, &token.instance)?;
        let (instance, execution, task, attempt) = (token.instance, token.execution, token.task, token.attempt);
        Ok(Attempt { instance, execution, task, attempt })
    }
}

/// Reads how far an activity has come: the body, if there is one.
fn read_progress(fields: Fields<'_>) -> Result<Option<Payload>, Malformed> {
    if fields.0.body.is_empty() { Ok(None) } else { fields.payload().map(Some) }
}

#[cfg(test)]
#[path = "word_test.rs"]
mod test;
