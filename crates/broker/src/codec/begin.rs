//! A work item that has come again is begun only if its owner says so: what the worker asks, and what it is told (H18).

use warren_model::{AnswerTo, MessageId, Payload};

use super::{
    Attempt, Codec, Malformed, WorkItem,
    fields::{Fields, missing},
    outgoing::to_sender,
    wire::{self, header, kind},
};
use crate::{Address, Delivery, Publication};

/// A worker's question whether it may begin a work item that has come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// By which the same question is known when it comes again: to begin once is to ask under one id.
    pub id: MessageId,
    /// Which attempt.
    pub of: Attempt,
    /// The activity, for a person.
    pub activity: String,
    /// What the worker calls itself, for a person.
    pub worker: String,
    /// Whether it would begin it with nothing else beside it.
    pub is_alone: bool,
    /// Where the answer goes.
    pub answer_to: AnswerTo,
}

/// What a worker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Begin it. It has been counted.
    Go,
    /// It was begun before, and no reply came: ask again once nothing runs beside it. It has not been counted.
    Alone,
    /// Another worker runs it, or has just died: ask again, the same question, after some seconds.
    Wait,
    /// Nobody waits for it, another worker runs it, or it has taken too many workers down: acknowledge it without running
    /// it.
    Drop,
}

impl Permit {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Go, Self::Alone, Self::Wait, Self::Drop];

    fn as_str(self) -> &'static str {
        match self {
            Self::Go => kind::GO,
            Self::Alone => kind::ALONE,
            Self::Wait => kind::WAIT,
            Self::Drop => kind::DROP,
        }
    }
}

/// Returns the question whether `item` may be begun, for the owner. Where the answer goes is filled in by who sends it.
pub fn begin(item: &WorkItem, id: &str, worker: &str, is_alone: bool) -> Publication {
    let mut message = wire::message(kind::BEGIN, b"")
        .text(header::ACTIVITY, item.activity.clone())
        .text(header::WORKER, worker)
        .flag(header::IS_ALONE, is_alone);
    message.message_id = Some(id.into());
    message.correlation_id = Some(item.token.clone());
    Publication { to: Address::Queue(item.reply_to.clone()), mandatory: true, packs: false, message }
}

/// Reads the owner's answer: to which question, and what.
pub(super) fn read_permit(fields: Fields<'_>) -> Result<(String, Permit), Malformed> {
    let question = fields.required_name(header::QUESTION, "the id of the question")?;
    let given = fields.kind().unwrap_or_default();
    let permit = Permit::ALL.into_iter().find(|permit| permit.as_str() == given);
    let permit = permit.ok_or_else(|| {
        Malformed::new(format!("property type is {given:?}: expected `go`, `alone`, `wait` or `drop`"))
    })?;
    Ok((question, permit))
}

impl Codec {
    /// Returns the answer to a worker's question; with how far the task had come when its last worker was lost.
    pub fn permit(&self, question: &Begin, permit: Permit, progress: Option<&Payload>) -> Publication {
        let body = progress.map_or("", Payload::as_str);
        let message = wire::message(permit.as_str(), body.as_bytes()).text(header::QUESTION, question.id.as_str());
        to_sender(&question.answer_to, message)
    }

    /// Reads a worker's question from a control queue.
    pub(super) fn read_begin(&self, delivery: &Delivery) -> Result<Begin, Malformed> {
        let fields = Fields(&delivery.message);
        fields.check_format()?;
        let id = fields.message_id()?;
        let id = id.ok_or_else(|| Malformed::new("property message_id is missing: expected a unique id"))?;
        let of = self.read_attempt(delivery)?;
        let answer_to = self.read_answer_to(fields)?;
        let answer_to =
            answer_to.ok_or_else(|| Malformed::new("property reply_to is missing: nobody could be told"))?;
        let worker = fields.maybe_text(header::WORKER)?;
        Ok(Begin {
            id,
            of,
            activity: fields.required_name(header::ACTIVITY, "the name of the activity")?,
            worker: worker.ok_or_else(|| missing(header::WORKER, "what the worker calls itself"))?,
            is_alone: fields.flag(header::IS_ALONE)?,
            answer_to,
        })
    }
}

#[cfg(test)]
#[path = "begin_test.rs"]
mod test;
