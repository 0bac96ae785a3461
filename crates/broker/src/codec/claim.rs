//! Claims: a large payload stays in the payload store, and its message says where.
//!
//! Pure: [`check_out`] takes the payload out of a message, [`put_back`] puts it in again; who stands between the broker
//! and the loops keeps it meanwhile. Whatever the loops are handed has its payload, or still has its claim, and then
//! the payload is gone.

use std::{fmt, str::FromStr, sync::Arc};

use bytes::Bytes;
use uuid::Uuid;
use warren_model::{ExecutionId, InstanceId, Outcome, Partition, PartitionMessage, Payload, Token};

use super::{
    Malformed,
    fields::Fields,
    wire::{header, kind},
};
use crate::{Address, Delivery, HeaderValue, Message, Publication, Topology};

/// Where a payload is: the value of the header `claim`, written `{id}:{bytes}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// By which the payload store knows it.
    pub id: Uuid,
    /// How large it is.
    pub bytes: u64,
}

/// A payload that was taken out of a message, to be kept before the message is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The partition of the instance that it belongs to.
    pub partition: Partition,
    /// By which it is known: the same for the same message with the same payload.
    pub id: Uuid,
    /// The instance that it belongs to.
    pub instance: InstanceId,
    /// For a work item, the execution whose task it is: so long it is needed.
    pub execution: Option<ExecutionId>,
    /// The payload.
    pub body: Arc<[u8]>,
}

/// Takes the payload out of a message that is too large to travel whole and whose receiver takes claims.
pub fn check_out(topology: &Topology, publication: &Publication) -> Option<(Publication, Parcel)> {
    let Address::Queue(queue) = &publication.to else { return None };
    let message = &publication.message;
    if message.body.len() <= topology.bodies().inline_bytes_max || !topology.takes_claims(queue) {
        return None;
    }
    let control = topology.partition_of_control(queue);
    let partition = control.or_else(|| topology.partition_of_control(message.reply_to.as_deref()?))?;
    let (rest, body, instance) = match word(message) {
        Some(mut word) => {
            let body = take_part(&mut word)?;
            (serde_json::to_vec(&word).ok()?.into(), Bytes::from(body), word.target().clone())
        }
        None => (Bytes::new(), message.body.clone(), instance_of(message)?),
    };
    let execution = if control.is_none() { Some(token(message)?.execution) } else { None };
    let id = Uuid::new_v5(&Uuid::new_v5(&Uuid::NAMESPACE_OID, message.message_id.as_ref()?.as_bytes()), &body);
    let claim = Claim { id, bytes: body.len() as u64 };
    let mut publication = publication.clone();
    publication.message.body = rest;
    publication.message = publication.message.text(header::CLAIM, claim.to_string());
    Some((publication, Parcel { partition, id, instance, execution, body: body[..].into() }))
}

/// Returns where the message's payload is, if it travels apart; `None` too if the header makes no sense, of which the
/// codec tells.
pub fn claim(message: &Message) -> Option<Claim> {
    Fields(message).claim().ok().flatten()
}

/// Returns the partition in whose part of the payload store the payload of a delivery is.
pub fn partition(topology: &Topology, delivery: &Delivery) -> Option<Partition> {
    let own = topology.partition_of_control(&delivery.routing_key);
    own.or_else(|| topology.partition_of_control(delivery.message.reply_to.as_deref()?))
}

/// Puts the payload back into the message that refers to it. If it does not fit, the claim stays where it is.
pub fn put_back(topology: &Topology, delivery: &mut Delivery, body: Arc<[u8]>) {
    let message = &mut delivery.message;
    let Some(claim) = claim(message).filter(|claim| claim.bytes == body.len() as u64) else { return };
    match word(message) {
        Some(mut word) => {
            let Some(whole) = put_part(&mut word, &body).and_then(|()| serde_json::to_vec(&word).ok()) else { return };
            message.body = whole.into();
        }
        None => message.body = Bytes::copy_from_slice(&body),
    }
    message.headers.remove(header::CLAIM);
    if topology.partition_of_control(&delivery.routing_key).is_none() {
        // The reply names it, so that the owner forgets it with the task.
        message.headers.insert(header::CLAIMED, HeaderValue::Text(claim.id.to_string().into()));
    }
}

/// Returns the payloads that nobody needs once a message of a control queue is committed: its own, and that of the work
/// item to which it replies.
pub fn spent(message: &Message) -> impl Iterator<Item = Uuid> {
    let of_item = match message.headers.get(header::CLAIMED) {
        Some(HeaderValue::Text(id)) => id.parse().ok(),
        Some(HeaderValue::Number(_) | HeaderValue::Bool(_)) | None => None,
    };
    claim(message).map(|claim| claim.id).into_iter().chain(of_item)
}

/// Says that the payload of a message is gone, and what mends it.
pub(super) fn missing(claim: Claim) -> String {
    let Claim { id, bytes } = claim;
    format!(
        "its payload travels by reference, and payload {id} ({bytes} bytes) is not in the payload store: a worker needs \
         payloads.store, set to the hub's store.url, or its queue must not be named in payloads.queues; if that is so, \
         the payload was deleted: try again"
    )
}

/// Returns the word between partitions that the message is, if it is one.
fn word(message: &Message) -> Option<PartitionMessage> {
    (Fields(message).kind() == Some(kind::PARTITION)).then(|| serde_json::from_slice(&message.body).ok()).flatten()
}

/// Takes out what may be large.
fn take_part(word: &mut PartitionMessage) -> Option<Vec<u8>> {
    let take = |payload: &mut Payload| std::mem::replace(payload, Payload::null()).as_str().as_bytes().to_vec();
    match word {
        PartitionMessage::ChildStart(start) => Some(take(&mut start.started.input)),
        PartitionMessage::Raise { event, .. } => Some(take(&mut event.input)),
        PartitionMessage::ChildEnded { outcome, .. } => {
            serde_json::to_vec(&std::mem::replace(outcome, Ok(Payload::null()))).ok()
        }
        PartitionMessage::Terminate { .. } | PartitionMessage::Vanished { .. } => None,
    }
}

/// Puts in what [`take_part`] took out.
fn put_part(word: &mut PartitionMessage, body: &[u8]) -> Option<()> {
    match word {
        PartitionMessage::ChildStart(start) => start.started.input = Payload::from_bytes(body).ok()?,
        PartitionMessage::Raise { event, .. } => event.input = Payload::from_bytes(body).ok()?,
        PartitionMessage::ChildEnded { outcome, .. } => *outcome = serde_json::from_slice::<Outcome>(body).ok()?,
        PartitionMessage::Terminate { .. } | PartitionMessage::Vanished { .. } => return None,
    }
    Some(())
}

fn instance_of(message: &Message) -> Option<InstanceId> {
    let named = Fields(message).instance().ok().flatten();
    named.or_else(|| token(message).map(|token| token.instance))
}

fn token(message: &Message) -> Option<Token> {
    message.correlation_id.as_deref()?.parse().ok()
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.bytes)
    }
}

impl FromStr for Claim {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parse = || {
            let (id, bytes) = text.split_once(':')?;
            Some(Self { id: id.parse().ok()?, bytes: bytes.parse().ok()? })
        };
        let name = header::CLAIM;
        parse()
            .ok_or_else(|| Malformed::new(format!("header `{name}` is {text:?}: expected a UUID and a size in bytes")))
    }
}

#[cfg(test)]
#[path = "claim_test.rs"]
mod test;
