//! The names on the wire. They are the contract with other languages (docs/AMQP.md): never change one.

use bytes::Bytes;
use warren_model::AnswerTo;

use crate::{HeaderValue, Message, Text};

/// The version of our own kinds of messages. A reader refuses a version that it does not know.
pub(super) const FORMAT: i64 = 1;

/// The content type of every body that we write.
pub(super) const JSON: &str = "application/json";

/// Values of the property `type`.
pub(super) mod kind {
    pub(in crate::codec) const RESULT: &str = "result";
    pub(in crate::codec) const FAILURE: &str = "failure";
    pub(in crate::codec) const HEARTBEAT: &str = "heartbeat";
    pub(in crate::codec) const BEGIN: &str = "begin";
    pub(in crate::codec) const HAND_BACK: &str = "hand-back";
    pub(in crate::codec) const HELD: &str = "held";
    pub(in crate::codec) const CANCEL: &str = "cancel";
    pub(in crate::codec) const GO: &str = "go";
    pub(in crate::codec) const ALONE: &str = "alone";
    pub(in crate::codec) const DROP: &str = "drop";
    pub(in crate::codec) const START: &str = "start";
    pub(in crate::codec) const RAISE: &str = "raise";
    pub(in crate::codec) const TERMINATE: &str = "terminate";
    pub(in crate::codec) const SUSPEND: &str = "suspend";
    pub(in crate::codec) const RESUME: &str = "resume";
    pub(in crate::codec) const COMPLETE: &str = "complete";
    pub(in crate::codec) const PURGE: &str = "purge";
    pub(in crate::codec) const WAIT: &str = "wait";
    pub(in crate::codec) const PARTITION: &str = "partition";
    pub(in crate::codec) const TAKEN: &str = "taken";
    pub(in crate::codec) const REDISPATCH: &str = "redispatch";
    pub(in crate::codec) const REDISPATCHED: &str = "redispatched";
    pub(in crate::codec) const ACCEPTED: &str = "accepted";
    pub(in crate::codec) const REFUSED: &str = "refused";
}

/// Names of headers.
pub(super) mod header {
    pub(in crate::codec) const FORMAT: &str = "warren";
    pub(in crate::codec) const INSTANCE: &str = "instance-id";
    pub(in crate::codec) const ORCHESTRATOR: &str = "orchestrator";
    pub(in crate::codec) const VERSION: &str = "version";
    pub(in crate::codec) const EVENT: &str = "event";
    pub(in crate::codec) const KEEP_UNSEEN: &str = "keep-unseen";
    pub(in crate::codec) const EXECUTION: &str = "execution";
    pub(in crate::codec) const REASON: &str = "reason";
    pub(in crate::codec) const RECURSIVE: &str = "recursive";
    pub(in crate::codec) const ANSWER: &str = "answer";
    pub(in crate::codec) const TAG_PREFIX: &str = "tag-";
    pub(in crate::codec) const TRACEPARENT: &str = "traceparent";
    pub(in crate::codec) const IF_EXISTS: &str = "if-exists";
    pub(in crate::codec) const FRESH: &str = "fresh";
    pub(in crate::codec) const START_AT: &str = "start-at";
    pub(in crate::codec) const ATTEMPT: &str = "attempt";
    pub(in crate::codec) const SCHEDULE_TO_START: &str = "schedule-to-start-ms";
    pub(in crate::codec) const START_TO_CLOSE: &str = "start-to-close-ms";
    pub(in crate::codec) const HEARTBEAT: &str = "heartbeat-ms";
    pub(in crate::codec) const PROGRESS: &str = "progress";
    pub(in crate::codec) const TOKEN: &str = "token";
    pub(in crate::codec) const FAILED: &str = "failed";
    pub(in crate::codec) const LEASE: &str = "lease-ms";
    pub(in crate::codec) const IS_WORKERS: &str = "workers";
    pub(in crate::codec) const HANDED_OVER: &str = "handed-over";
    pub(in crate::codec) const RESEND: &str = "resend";
    pub(in crate::codec) const IDEMPOTENCY_KEY: &str = "idempotency-key";
    pub(in crate::codec) const TIMED: &str = "timed";
    pub(in crate::codec) const AGAIN: &str = "again";
    pub(in crate::codec) const TOOK: &str = "took";
    pub(in crate::codec) const WORKER: &str = "worker";
    pub(in crate::codec) const ACTIVITY: &str = "activity";
    pub(in crate::codec) const IS_ALONE: &str = "alone";
    pub(in crate::codec) const QUESTION: &str = "question";
    pub(in crate::codec) const STATUS: &str = "status";
    pub(in crate::codec) const CLAIM: &str = "claim";
    pub(in crate::codec) const CLAIMED: &str = "claimed";
    pub(in crate::codec) const STORED: &str = "stored-outcome";
    pub(in crate::codec) const PACKS: &str = "packs";
    pub(in crate::codec) const QUEUE: &str = "queue";
    pub(in crate::codec) const OLDER_THAN: &str = "older-than";
    pub(in crate::codec) const SOURCE: &str = "source";
    pub(in crate::codec) const SEQUENCE: &str = "sequence";
    pub(in crate::codec) const DEAD_REASON: &str = "warren-reason";
    pub(in crate::codec) const DEAD_QUEUE: &str = "warren-queue";
    pub(in crate::codec) const DEAD_KEY: &str = "warren-routing-key";
}

/// Returns a message of ours.
pub(super) fn message(kind: &'static str, body: &[u8]) -> Message {
    named(Text::from_static(kind), body)
}

/// Returns a message of ours with this `type`.
pub(super) fn named(kind: Text, body: &[u8]) -> Message {
    let message = Message {
        kind: Some(kind),
        content_type: Some(Text::from_static(JSON)),
        body: Bytes::copy_from_slice(body),
        ..Message::default()
    };
    message.number(header::FORMAT, FORMAT)
}

impl Message {
    /// Adds a text header.
    pub(super) fn text(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.headers.insert(Text::from_static(name), HeaderValue::Text(value.into()));
        self
    }

    /// Adds a text header if there is a value.
    pub(super) fn maybe_text(self, name: &'static str, value: Option<impl Into<Text>>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number header.
    pub(super) fn number(mut self, name: &'static str, value: i64) -> Self {
        self.headers.insert(Text::from_static(name), HeaderValue::Number(value));
        self
    }

    /// Says where the answer goes, and whether it may come in a pack.
    pub(super) fn answered_to(mut self, to: &AnswerTo) -> Self {
        self.reply_to = Some(to.reply_to.as_str().into());
        self.correlation_id = to.correlation_id.as_deref().map(Text::from);
        if to.packs { self.flag(header::PACKS, true) } else { self }
    }

    /// Adds a truth value.
    pub(super) fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.headers.insert(Text::from_static(name), HeaderValue::Bool(value));
        self
    }
}
