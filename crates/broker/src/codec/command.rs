//! Commands on a control queue.

use warren_model::{
    AnswerTo, AnswerWhen, Command, IfExists, InstanceId, MessageId, StartRequest, limits::SHORT_STRING_BYTES_MAX,
};

use super::{
    Codec, Malformed,
    fields::Fields,
    outgoing::outcome_message,
    reply::read_failure,
    wire::{self, header, kind},
};
use crate::{Address, Delivery, HeaderValue, Message, Publication};

/// A command with its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// By which a duplicate is known.
    pub id: MessageId,
    /// The instance that it is for.
    pub instance: InstanceId,
    /// What is asked.
    pub command: Command,
    /// Where the answer goes, if one is wanted.
    pub answer_to: Option<AnswerTo>,
    /// When the answer is wanted.
    pub when: AnswerWhen,
    /// Whether its sender vouches for its ids: of a start, that both were just made and it is sent for the first time. The
    /// owner then need not look for them before it begins; the commit finds out who was wrong.
    pub is_fresh: bool,
}

impl Codec {
    /// Returns the command as a message to the control queue of its instance's partition.
    pub fn command(&self, envelope: &Envelope) -> Publication {
        let mut message = command_message(&envelope.command).text(header::INSTANCE, envelope.instance.as_str());
        message.message_id = Some(envelope.id.as_str().into());
        if let Some(to) = &envelope.answer_to {
            message = message.answered_to(to);
            if to.stored {
                message = message.flag(header::STORED, true);
            }
        }
        message = message.text(
            header::ANSWER,
            match envelope.when {
                AnswerWhen::Outcome => "outcome",
                AnswerWhen::Accepted => "accepted",
            },
        );
        if envelope.is_fresh {
            message = message.flag(header::FRESH, true);
        }
        let queue = self.control_queue(self.partitions().of(&envelope.instance));
        Publication { to: Address::Queue(queue), mandatory: true, packs: true, message }
    }

    /// Says of a command from a control queue that its payload is gone, if it is. Of a duplicate that is no matter.
    pub fn missing(&self, delivery: &Delivery) -> Option<String> {
        Fields(&delivery.message).missing().ok().flatten()
    }

    /// Reads a command from a control queue.
    pub(super) fn read_command(&self, delivery: &Delivery) -> Result<Envelope, Malformed> {
        let fields = Fields(&delivery.message);
        fields.check_format()?;
        let id = fields.message_id()?;
        let id = id.ok_or_else(|| Malformed::new("property message_id is missing: expected a unique id"))?;
        let instance = fields.required_instance()?;
        self.check_home(delivery, &instance)?;
        fields.claim()?;
        let command = match fields.kind() {
            Some(kind::COMPLETE) => self.read_complete(fields, &instance)?,
            Some(_) | None => read(fields)?,
        };
        let (answer_to, when) = (self.read_answer_to(fields)?, answer_when(fields)?);
        Ok(Envelope { id, instance, command, answer_to, when, is_fresh: fields.flag(header::FRESH)? })
    }
}

impl Message {
    /// Takes away what a sender may say only of a command that it sends for the first time.
    pub fn mark_repeated(&mut self) {
        self.headers.retain(|name, _| name != header::FRESH);
    }
}

impl Codec {
    fn read_complete(&self, fields: Fields<'_>, instance: &InstanceId) -> Result<Command, Malformed> {
        let text = fields.required_name(header::TOKEN, "the token of the task")?;
        let token = self.verify(&text)?;
        if token.instance != *instance {
            let (name, of) = (header::TOKEN, &token.instance);
            return Err(Malformed::new(format!("header `{name}` is of instance {of}: the message is for {instance}")));
        }
        let outcome = match fields.flag(header::FAILED)? {
            true => Err(read_failure(&fields.0.body)),
            false => Ok(fields.payload()?),
        };
        Ok(Command::Complete { token, outcome })
    }
}

fn command_message(command: &Command) -> Message {
    match command {
        Command::Start(start) => start_message(start),
        Command::Raise { event, input, keep_unseen } => wire::message(kind::RAISE, input.as_str().as_bytes())
            .text(header::EVENT, event.as_str())
            .flag(header::KEEP_UNSEEN, *keep_unseen),
        Command::Terminate { reason, recursive } => wire::message(kind::TERMINATE, b"")
            .maybe_text(header::REASON, reason.as_deref())
            .flag(header::RECURSIVE, *recursive),
        Command::Suspend { reason } => wire::message(kind::SUSPEND, b"").maybe_text(header::REASON, reason.as_deref()),
        Command::Resume { reason } => wire::message(kind::RESUME, b"").maybe_text(header::REASON, reason.as_deref()),
        Command::Complete { token, outcome } => {
            let message = outcome_message(outcome);
            let (body, failed) = (message.body, outcome.is_err());
            wire::message(kind::COMPLETE, &body).text(header::TOKEN, token.to_string()).flag(header::FAILED, failed)
        }
        Command::Purge { execution } => {
            let execution = execution.map(|execution| execution.to_string());
            wire::message(kind::PURGE, b"").maybe_text(header::EXECUTION, execution.as_deref())
        }
        Command::Wait => wire::message(kind::WAIT, b""),
    }
}

fn start_message(start: &StartRequest) -> Message {
    let mut message = wire::message(kind::START, start.input.as_str().as_bytes())
        .text(header::ORCHESTRATOR, start.name.as_str())
        .maybe_text(header::VERSION, start.version.as_deref())
        .maybe_text(header::TRACEPARENT, start.traceparent.as_deref())
        .maybe_text(header::IF_EXISTS, Some(start.if_exists.as_str()).filter(|_| start.if_exists != IfExists::Fail));
    let tags = start.tags.iter();
    let tags =
        tags.map(|(name, value)| (format!("{}{name}", header::TAG_PREFIX), HeaderValue::Text(value.as_str().into())));
    tags.for_each(|(name, value)| drop(message.headers.insert(name, value)));
    message
}

fn read(fields: Fields<'_>) -> Result<Command, Malformed> {
    match fields.kind() {
        Some(kind::START) => {
            let name = fields.required_name(header::ORCHESTRATOR, "the name of an orchestrator")?;
            read_start(fields, name).map(Command::Start)
        }
        Some(kind::RAISE) => Ok(Command::Raise {
            event: fields.required_name(header::EVENT, "the name of an event")?,
            input: fields.payload()?,
            keep_unseen: fields.flag(header::KEEP_UNSEEN)?,
        }),
        Some(kind::TERMINATE) => Ok(Command::Terminate {
            reason: fields.maybe_text(header::REASON)?,
            recursive: fields.flag(header::RECURSIVE)?,
        }),
        Some(kind::SUSPEND) => Ok(Command::Suspend { reason: fields.maybe_text(header::REASON)? }),
        Some(kind::RESUME) => Ok(Command::Resume { reason: fields.maybe_text(header::REASON)? }),
        Some(kind::PURGE) => Ok(Command::Purge { execution: fields.execution()? }),
        Some(kind::WAIT) => Ok(Command::Wait),
        other => Err(Malformed::new(format!(
            "property type is {:?}: expected one of `result`, `failure`, `heartbeat`, `hand-back`, `begin`, `start`, `raise`, \
             `terminate`, `suspend`, `resume`, `complete`, `purge`, `wait`, `redispatch`, `partition`, `taken`, \
             or none",
            other.unwrap_or_default()
        ))),
    }
}

/// Reads what a start says besides its instance and its orchestrator.
pub(super) fn read_start(fields: Fields<'_>, name: String) -> Result<StartRequest, Malformed> {
    if fields.0.headers.contains_key(header::START_AT) {
        let name = header::START_AT;
        return Err(Malformed::new(format!("header `{name}` is not supported: wait for a timer in the orchestrator")));
    }
    Ok(StartRequest {
        name,
        version: fields.name(header::VERSION)?,
        input: fields.payload()?,
        tags: fields.tags()?,
        // Only a trace is lost with one that is none.
        traceparent: fields.maybe_text(header::TRACEPARENT)?.filter(|text| text.len() <= SHORT_STRING_BYTES_MAX),
        if_exists: if_exists(fields)?,
    })
}

fn if_exists(fields: Fields<'_>) -> Result<IfExists, Malformed> {
    let name = header::IF_EXISTS;
    let Some(text) = fields.text(name)? else { return Ok(IfExists::Fail) };
    IfExists::ALL.into_iter().find(|choice| choice.as_str() == text).ok_or_else(|| {
        Malformed::new(format!("header `{name}` is {text:?}: expected `fail`, `replace-ended` or `use-existing`"))
    })
}

/// Reads when the sender wants its answer.
pub(super) fn answer_when(fields: Fields<'_>) -> Result<AnswerWhen, Malformed> {
    let name = header::ANSWER;
    match fields.text(name)?.as_deref() {
        None | Some("outcome") => Ok(AnswerWhen::Outcome),
        Some("accepted") => Ok(AnswerWhen::Accepted),
        Some(other) => Err(Malformed::new(format!("header `{name}` is {other:?}: expected `outcome` or `accepted`"))),
    }
}

#[cfg(test)]
#[path = "command_test.rs"]
mod test;
