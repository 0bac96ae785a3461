//! Work items, as a worker reads and answers them. No secret of the hub is needed.

use std::time::Duration;

use warren_model::{Outcome, Payload, Timeouts};

use super::{
    Malformed,
    fields::{Fields, check_name},
    outgoing::outcome_message,
    pack,
    wire::header,
};
use crate::{Address, Delivery, HeaderValue, Message, Publication, Text};

/// Queues of this kind exist only on the requester's channel; the broker returns whatever is mandatory there.
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// One attempt of an activity, to be run and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkItem {
    /// What the reply must carry as its `correlation_id`.
    pub token: Text,
    /// Which activity.
    pub activity: Text,
    /// Its input.
    pub input: Payload,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The queue that the reply goes to.
    pub reply_to: Text,
    /// The W3C trace context of the orchestration.
    pub traceparent: Option<Text>,
    /// The same whenever this task is delivered or tried again.
    pub idempotency_key: Text,
    /// How long it may take. If there is any limit, its owner must hear at once that it begins.
    pub timeouts: Timeouts,
    /// How far an earlier attempt had come.
    pub progress: Option<Payload>,
    /// The payload that was the input, if it travelled apart: the reply names it, so that it is forgotten.
    pub claimed: Option<Text>,
    /// Why there is no input, if it travelled apart and is not to be found.
    pub missing: Option<String>,
    /// Whether its owner wants to know how long it took.
    pub is_timed: bool,
}

impl WorkItem {
    /// Copies its texts, which may be slices of a pack: for whoever keeps it longer than its delivery.
    pub fn detach(&mut self) {
        let Self { token, activity, reply_to, traceparent, idempotency_key, claimed, .. } = self;
        let always = [token, activity, reply_to, idempotency_key];
        always.into_iter().chain(traceparent).chain(claimed).for_each(|text| *text = Text::from(&text[..]));
    }
}

/// Reads a work item.
pub fn decode_work_item(delivery: &Delivery) -> Result<WorkItem, Malformed> {
    pack::refuse(&delivery.message)?;
    let fields = Fields(&delivery.message);
    let missing = |name, what| Malformed::new(format!("property {name} is missing: expected {what}"));
    let activity = fields.kind_text().ok_or_else(|| missing("type", "the name of the activity"))?;
    check_name("property type", activity)?;
    let token = fields.correlation_id()?.ok_or_else(|| missing("correlation_id", "a token for the reply"))?;
    let reply_to = fields.reply_to()?.ok_or_else(|| missing("reply_to", "a queue for the reply"))?;
    Ok(WorkItem {
        token: token.clone(),
        activity: activity.clone(),
        input: fields.payload()?,
        attempt: fields.number(header::ATTEMPT)?.unwrap_or(1),
        reply_to: reply_to.clone(),
        traceparent: fields.shared(header::TRACEPARENT)?,
        idempotency_key: fields.shared(header::IDEMPOTENCY_KEY)?.unwrap_or_else(|| token.clone()),
        timeouts: timeouts(fields)?,
        progress: progress(fields)?,
        claimed: fields.shared(header::CLAIMED)?,
        missing: fields.missing()?,
        is_timed: fields.flag(header::TIMED)?,
    })
}

/// Returns the work item as it goes back to its queue, begun by nobody: by itself, whatever it came in. That it had been
/// delivered before is said by a header, as the broker takes it for a new message.
pub fn given_back(delivery: Delivery) -> Publication {
    let Delivery { redelivered, routing_key, mut message, .. } = delivery;
    if redelivered {
        message = message.flag(header::AGAIN, true);
    }
    Publication { to: Address::Queue(routing_key), mandatory: true, packs: false, message }
}

/// Returns whether a work item was given back that had been delivered before.
pub fn came_again(message: &Message) -> bool {
    message.headers.get(header::AGAIN) == Some(&HeaderValue::Bool(true))
}

/// Returns the reply that ends the attempt. `worker` is what the worker calls itself, for people who look for it.
///
/// The work item may be acknowledged once the broker has confirmed the reply.
pub fn reply(item: &WorkItem, outcome: &Outcome, worker: &str) -> Publication {
    let mut message = outcome_message(outcome);
    message.message_id = Some(format!("{}:reply", short(&item.token)).into());
    message = message.maybe_text(header::CLAIMED, item.claimed.clone());
    to_owner(item, message, worker)
}

/// Returns a reply that also says how long the activity took, and of which queue (without the hub's prefix) it was.
pub fn timed(mut reply: Publication, queue: &str, took: Duration) -> Publication {
    let micros = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
    reply.message = reply.message.number(header::TOOK, micros).text(header::QUEUE, queue);
    reply
}

/// Returns the queue and the time that a reply tells of. What makes no sense is no such word: a hint is no reason to
/// refuse a reply.
pub fn time_told(message: &Message) -> Option<(&str, Duration)> {
    let HeaderValue::Number(micros) = message.headers.get(header::TOOK)? else { return None };
    let HeaderValue::Text(queue) = message.headers.get(header::QUEUE)? else { return None };
    Some((queue, Duration::from_micros(u64::try_from(*micros).ok()?)))
}

pub(super) fn to_owner(item: &WorkItem, mut message: Message, worker: &str) -> Publication {
    message = message.text(header::WORKER, worker).maybe_text(header::TRACEPARENT, item.traceparent.clone());
    message.correlation_id = Some(item.token.clone());
    let mandatory = !item.reply_to.starts_with(DIRECT_REPLY_TO);
    Publication { to: Address::Queue(item.reply_to.clone()), mandatory, packs: false, message }
}

/// Leaves room for a suffix in a short string; a token of ours is far below.
fn short(token: &str) -> &str {
    let end = (0..=token.len().min(240)).rev().find(|at| token.is_char_boundary(*at));
    &token[..end.unwrap_or(0)]
}

fn timeouts(fields: Fields<'_>) -> Result<Timeouts, Malformed> {
    Ok(Timeouts {
        schedule_to_start_ms: fields.number(header::SCHEDULE_TO_START)?,
        start_to_close_ms: fields.number(header::START_TO_CLOSE)?,
        heartbeat_ms: fields.number(header::HEARTBEAT)?,
    })
}

fn progress(fields: Fields<'_>) -> Result<Option<Payload>, Malformed> {
    let name = header::PROGRESS;
    let Some(text) = fields.text(name)? else { return Ok(None) };
    let progress = Payload::from_bytes(text.as_bytes());
    progress.map(Some).map_err(|error| Malformed::new(format!("header `{name}` is no JSON: {error}")))
}

#[cfg(test)]
#[path = "work_item_test.rs"]
mod test;
