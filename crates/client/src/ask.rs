//! Commands to an instance that exists.

use std::time::Duration;

use warren_broker::ClientReply;
use warren_model::{Answer, AnswerWhen, Command, InstanceId, MessageId};
use warren_store::Queries;

use crate::{
    About, Client, Error, Result,
    client::{envelope, fresh_id},
};

/// A command that is ready to be sent.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Ask<'a, Q> {
    client: &'a Client<Q>,
    instance: InstanceId,
    command: Command,
    message: Option<MessageId>,
    within: Duration,
}

impl<'a, Q: Queries> Ask<'a, Q> {
    pub(crate) fn new(client: &'a Client<Q>, instance: &InstanceId, command: Command) -> Self {
        let within = client.options().within;
        Self { client, instance: instance.clone(), command, message: None, within }
    }

    /// Sets the message id, so that the caller may ask again: the same id never acts twice, and is answered the same.
    pub fn message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Sets how long to wait for the answer.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Sends the command; returns once it is committed.
    pub async fn send(self) -> Result<Answer> {
        let message = self.message.unwrap_or_else(fresh_id);
        let envelope = envelope(message, self.instance, self.command, AnswerWhen::Accepted);
        let instance = envelope.instance.clone();
        let reply = self.client.ask(envelope, self.within).await?;
        accepted(instance, reply)
    }
}

/// Returns the answer to a command that changes something.
pub(crate) fn accepted(instance: InstanceId, reply: ClientReply) -> Result<Answer> {
    match reply {
        ClientReply::Answer(answer) => Ok(answer),
        ClientReply::Refused(refusal) => Err(Error::Refused(refusal)),
        ClientReply::Outcome { .. }
        | ClientReply::Stored { .. }
        | ClientReply::Redispatched(_)
        | ClientReply::Awaited(_) => Err(unexpected(&instance, "`accepted`")),
    }
}

/// Returns the error of an answer of another kind than the command has.
pub(crate) fn unexpected(instance: &InstanceId, expected: &str) -> Error {
    let about = About::Instance(instance.clone());
    Error::Answer { about, why: format!("it is of another kind: expected {expected}") }
}
