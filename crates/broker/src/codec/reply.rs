//! Workers' replies, as the owner reads them. Any AMQP client may have written them, in any language.

use warren_model::{Failure, Outcome, Payload, TaskEnded, code};

use super::{
    Attempt, Codec, Inbound, Malformed,
    fields::Fields,
    wire::{header, kind},
};
use crate::{Delivery, Message};

/// How much of a body that is no failure object is kept in the failure's message.
const TEXT_KEPT_CHARS: usize = 1000;

impl Codec {
    /// Reads a reply. What it says may be nonsense, and then it ends the task with a failure; whose it is may not.
    pub(super) fn read_reply(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        let fields = Fields(&delivery.message);
        refuse_outcome(fields)?;
        let Attempt { instance, execution, task, attempt } = self.read_attempt(delivery)?;
        let outcome = match fields.missing()? {
            Some(reason) => Err(Failure::new(code::PAYLOAD_MISSING, reason)),
            None => read_outcome(&delivery.message),
        };
        Ok(Inbound::Reply { instance, ended: TaskEnded { execution, task, attempt, outcome } })
    }
}

/// Reads how something ended: the body is the result, or the failure if the message's type says so.
pub(super) fn read_outcome(message: &Message) -> Outcome {
    if Fields(message).kind() == Some(kind::FAILURE) {
        return Err(read_failure(&message.body));
    }
    Payload::from_bytes(&message.body)
        .map_err(|error| Failure::new(code::INVALID_RESULT, format!("the result is not JSON in UTF-8: {error}")))
}

pub(super) fn read_failure(body: &[u8]) -> Failure {
    serde_json::from_slice(body).unwrap_or_else(|error| {
        let text: String = String::from_utf8_lossy(body).chars().take(TEXT_KEPT_CHARS).collect();
        Failure::new(code::ERROR, format!("{text} (sent as a failure, but no failure object: {error})"))
    })
}

/// An outcome of an orchestration never completes a task, wherever its `reply_to` pointed.
fn refuse_outcome(fields: Fields<'_>) -> Result<(), Malformed> {
    let headers = &fields.0.headers;
    if headers.contains_key(header::FORMAT) && headers.contains_key(header::STATUS) {
        return Err(Malformed::new("the message is the outcome of an orchestration: expected a worker's reply"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "reply_test.rs"]
mod test;
