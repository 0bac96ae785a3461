//! What a committed turn sends: work items, word to partitions, outcomes.

use bytes::Bytes;
use warren_model::{
    ActionId, AnswerTo, ExecutionId, Failure, InstanceId, Outcome, Outgoing, Partition, PartitionMessage, Payload,
    TaskScheduled, Timeouts, code,
};

use super::{
    Codec, Malformed,
    wire::{self, header, kind},
};
use crate::{Address, Message, Publication, Text};

impl Codec {
    /// Returns the message that carries `outgoing`.
    ///
    /// `reply_to` is the partition whose turn sends it. `sequence` is its place among what a source partition sends,
    /// which only word to another partition has and needs. The same arguments give the same message, its id included,
    /// so that what is published again after a crash is known for what it is.
    pub fn outgoing(
        &self,
        outgoing: &Outgoing,
        reply_to: Partition,
        sequence: Option<(Partition, u64)>,
    ) -> Result<Publication, Malformed> {
        match outgoing {
            Outgoing::WorkItem { instance, execution, task, traceparent } => {
                let mut publication = self.work_item(instance, *execution, task)?;
                publication.message.reply_to = Some(self.control_queue(reply_to));
                publication.message = publication.message.maybe_text(header::TRACEPARENT, traceparent.as_deref());
                Ok(publication)
            }
            Outgoing::ToPartition(message) => {
                let (source, sequence) = sequence.ok_or_else(|| {
                    Malformed::new("a message between partitions has no sequence: expected the one given at its commit")
                })?;
                self.to_partition(message, source, sequence)
            }
            Outgoing::Outcome { to, instance, execution, status, outcome } => {
                let mut message = self
                    .outcome_within_limits(to, instance, outcome)
                    .text(header::INSTANCE, instance.as_str())
                    .text(header::STATUS, status.as_str());
                message.message_id = Some(format!("{execution}:outcome").into());
                Ok(to_sender(to, message))
            }
        }
    }

    /// Returns why a message can't be sent to where it goes, although it can be written: a large work item to workers
    /// who don't take claims.
    pub fn too_large(&self, outgoing: &Outgoing) -> Option<Failure> {
        let Outgoing::WorkItem { task, .. } = outgoing else { return None };
        let (bodies, bytes) = (self.topology().bodies(), task.input.size());
        if bytes <= bodies.bytes_max || bodies.has_claims(task.queue()) {
            return None;
        }
        let (name, max, queue) = (&task.name, bodies.bytes_max, task.queue());
        Some(Failure::permanent(
            code::PAYLOAD_TOO_LARGE,
            format!(
                "the input of {name} has {bytes} bytes, a message holds at most {max}: pass a reference, raise \
                 broker.message_megabytes_max together with the broker's own limit, or give the workers of queue {queue} \
                 a payload store and name it in payloads.queues"
            ),
        ))
    }

    /// Returns the message about an outcome: without it, if it is large and the receiver can read it in the store.
    fn outcome_within_limits(&self, to: &AnswerTo, instance: &InstanceId, outcome: &Outcome) -> Message {
        let (bodies, message) = (self.topology().bodies(), outcome_message(outcome));
        let bytes = message.body.len();
        if to.stored && bytes > bodies.inline_bytes_max {
            return Message { body: Bytes::new(), ..message }.flag(header::STORED, true);
        }
        if bytes <= bodies.bytes_max {
            return message;
        }
        let text = format!(
            "the outcome of {instance} has {bytes} bytes, a message holds at most {}: read it by HTTP",
            bodies.bytes_max
        );
        outcome_message(&Err(Failure::permanent(code::PAYLOAD_TOO_LARGE, text)))
    }

    fn work_item(
        &self,
        instance: &InstanceId,
        execution: ExecutionId,
        task: &TaskScheduled,
    ) -> Result<Publication, Malformed> {
        let queue = self.topology().work_of(task).map_err(|error| {
            Malformed::new(format!("activity {:?} has no queue that AMQP can carry: {error}", task.name))
        })?;
        super::fields::check_name("the activity's name", &task.name)?;
        let token = Text::from(self.token(instance, execution, task.id, task.attempt).text());
        let mut message = wire::named(task.name.as_str().into(), task.input.as_str().as_bytes())
            .number(header::ATTEMPT, task.attempt.into())
            .text(header::IDEMPOTENCY_KEY, idempotency_key(execution, task.first_attempt()));
        message = limited(message, &task.timeouts);
        message = message.maybe_text(header::PROGRESS, task.progress.as_ref().map(Payload::as_str));
        message.message_id = Some(token.clone());
        message.correlation_id = Some(token);
        let packs = self.topology().is_packed(task.queue());
        if packs {
            message = message.flag(header::TIMED, true);
        }
        Ok(Publication { to: Address::Queue(queue.name.into()), mandatory: true, packs, message })
    }

    fn to_partition(
        &self,
        word: &PartitionMessage,
        source: Partition,
        sequence: u64,
    ) -> Result<Publication, Malformed> {
        let body = serde_json::to_vec(word).expect("a message between partitions has only text and numbers");
        let number =
            i64::try_from(sequence).map_err(|_| Malformed::new(format!("sequence {sequence} is too large")))?;
        let target = self.partitions().of(word.target());
        let mut message = wire::message(kind::PARTITION, &body)
            .number(header::SOURCE, source.0.into())
            .number(header::SEQUENCE, number);
        message.message_id = Some(format!("{source}:{target}:{sequence}").into());
        Ok(Publication { to: Address::Queue(self.control_queue(target)), mandatory: true, packs: true, message })
    }
}

/// Adds how long an activity may take.
fn limited(mut message: Message, timeouts: &Timeouts) -> Message {
    let Timeouts { schedule_to_start_ms, start_to_close_ms, heartbeat_ms } = timeouts;
    let limits = [
        (header::SCHEDULE_TO_START, schedule_to_start_ms),
        (header::START_TO_CLOSE, start_to_close_ms),
        (header::HEARTBEAT, heartbeat_ms),
    ];
    for (name, limit) in limits {
        if let Some(milliseconds) = limit {
            message = message.number(name, i64::try_from(*milliseconds).unwrap_or(i64::MAX));
        }
    }
    message
}

/// Returns a message whose body is the result, or the failure.
pub(super) fn outcome_message(outcome: &Outcome) -> Message {
    match outcome {
        Ok(result) => wire::message(kind::RESULT, result.as_str().as_bytes()),
        Err(failure) => {
            let body = serde_json::to_vec(failure).expect("a failure has only text and truth values");
            wire::message(kind::FAILURE, &body)
        }
    }
}

/// Returns the message to where the sender of a command asked for it. Nobody there is no error.
pub(super) fn to_sender(to: &AnswerTo, mut message: Message) -> Publication {
    message.correlation_id = to.correlation_id.as_deref().map(Text::from);
    Publication { to: Address::Queue(to.reply_to.as_str().into()), mandatory: false, packs: to.packs, message }
}

/// The key under which an activity's effects should be known: the same for each delivery of the same task.
fn idempotency_key(execution: ExecutionId, task: ActionId) -> String {
    format!("{execution}:{:04x}", task.0)
}

#[cfg(test)]
#[path = "outgoing_test.rs"]
mod test;
