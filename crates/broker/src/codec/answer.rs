//! Answers to commands: what the owner sends, and what a client reads.

use serde::de::DeserializeOwned;
use warren_model::{Answer, AnswerTo, InstanceId, Outcome, Redispatched, Refusal, Status};

use super::{
    Codec, Malformed,
    fields::{Fields, missing},
    outgoing::to_sender,
    pack,
    reply::read_outcome,
    wire::{self, header, kind},
};
use crate::{Delivery, Publication};

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientReply {
    /// The command is committed.
    Answer(Answer),
    /// The command was not carried out.
    Refused(Refusal),
    /// Open work was sent again.
    Redispatched(Redispatched),
    /// A heartbeat was heard; says whether anybody still waits for the task.
    Awaited(bool),
    /// The instance has ended.
    Outcome {
        /// Which instance.
        instance: InstanceId,
        /// How it stands.
        status: Status,
        /// How it ended.
        outcome: Outcome,
    },
    /// The instance has ended, and how is in the hub's store: it is too large to travel.
    Stored {
        /// Which instance.
        instance: InstanceId,
        /// How it stands.
        status: Status,
    },
}

impl Codec {
    /// Returns the answer to a command.
    pub fn answer(&self, to: &AnswerTo, answer: &Result<Answer, Refusal>) -> Publication {
        let (kind, body) = match answer {
            Ok(answer) => (kind::ACCEPTED, serde_json::to_vec(answer)),
            Err(refusal) => (kind::REFUSED, serde_json::to_vec(refusal)),
        };
        to_sender(to, wire::message(kind, &body.expect("an answer has only text")))
    }
}

/// Reads an answer and the correlation id that it echoes.
pub fn decode_client_reply(delivery: &Delivery) -> Result<(Option<String>, ClientReply), Malformed> {
    pack::refuse(&delivery.message)?;
    let fields = Fields(&delivery.message);
    fields.check_format()?;
    let reply = match fields.kind() {
        Some(kind::ACCEPTED) => ClientReply::Answer(json(fields, "answer")?),
        Some(kind::REFUSED) => ClientReply::Refused(json(fields, "refusal")?),
        Some(kind::REDISPATCHED) => ClientReply::Redispatched(json(fields, "number of what was sent again")?),
        Some(kind::HELD) => ClientReply::Awaited(true),
        Some(kind::CANCEL) => ClientReply::Awaited(false),
        None | Some(kind::RESULT | kind::FAILURE) if fields.flag(header::STORED)? => {
            ClientReply::Stored { instance: fields.required_instance()?, status: status(fields)? }
        }
        None | Some(kind::RESULT | kind::FAILURE) => ClientReply::Outcome {
            instance: fields.required_instance()?,
            status: status(fields)?,
            outcome: read_outcome(&delivery.message),
        },
        Some(other) => {
            return Err(Malformed::new(format!(
                "property type is {other:?}: expected `accepted`, `refused`, `redispatched`, `held`, `cancel`, `result` or \
                 `failure`"
            )));
        }
    };
    Ok((fields.correlation_id()?.map(ToString::to_string), reply))
}

fn json<T: DeserializeOwned>(fields: Fields<'_>, what: &str) -> Result<T, Malformed> {
    serde_json::from_slice(&fields.0.body).map_err(|error| Malformed::new(format!("the body is no {what}: {error}")))
}

fn status(fields: Fields<'_>) -> Result<Status, Malformed> {
    let name = header::STATUS;
    let text = fields.text(name)?.ok_or_else(|| missing(name, "how the instance stands"))?;
    let status = Status::ALL.into_iter().find(|status| status.as_str() == text);
    status.ok_or_else(|| Malformed::new(format!("header `{name}` is {text:?}: expected a status such as `Completed`")))
}

#[cfg(test)]
#[path = "answer_test.rs"]
mod test;
