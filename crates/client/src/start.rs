//! Starts.

use std::{collections::BTreeMap, time::Duration};

use warren_broker::{ClientReply, Envelope};
use warren_model::{
    Answer, AnswerWhen, Command, IfExists, InstanceId, MessageId, Payload, StartRequest, instance_id_for,
};
use warren_store::Queries;

use crate::{
    Client, Ended, Result,
    ask::accepted,
    client::{envelope, fresh_id},
};

/// A start that is ready to be sent.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Start<'a, Q> {
    client: &'a Client<Q>,
    request: StartRequest,
    id: Option<InstanceId>,
    message: Option<MessageId>,
    within: Duration,
}

impl<'a, Q: Queries> Start<'a, Q> {
    pub(crate) fn new(client: &'a Client<Q>, name: String, input: Payload) -> Self {
        let request = StartRequest {
            name,
            version: None,
            input,
            tags: BTreeMap::new(),
            traceparent: None,
            if_exists: IfExists::Fail,
        };
        Self { client, request, id: None, message: None, within: client.options().within }
    }

    /// Sets the instance's id; without one it is derived from the message id.
    pub fn id(mut self, id: InstanceId) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the message id, so that the caller may ask again: the same id never acts twice, and is answered the same.
    pub fn message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Sets the orchestrator's version; without one it is the newest that the owner knows.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.request.version = Some(version.into());
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.tags.insert(name.into(), value.into());
        self
    }

    /// Sets the W3C trace context that the instance continues.
    pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
        self.request.traceparent = Some(traceparent.into());
        self
    }

    /// Sets what becomes of the start if the instance's id ran before; without it, that is refused.
    pub fn if_exists(mut self, choice: IfExists) -> Self {
        self.request.if_exists = choice;
        self
    }

    /// Sets how long to wait for the answer.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Sends the start; returns once it is committed.
    pub async fn send(self) -> Result<Answer> {
        let (_, instance, reply) = self.ask(AnswerWhen::Accepted).await?;
        accepted(instance, reply)
    }

    /// Sends the start and waits for the instance's end as long as for an answer: two messages in all, where
    /// [`send_and_wait`](Self::send_and_wait) takes four. Nothing is told before the end.
    pub async fn run(self) -> Result<Ended> {
        let (client, instance, reply) = self.ask(AnswerWhen::Outcome).await?;
        client.end(&instance, reply).await
    }

    async fn ask(self, when: AnswerWhen) -> Result<(&'a Client<Q>, InstanceId, ClientReply)> {
        let is_fresh = self.message.is_none() && self.id.is_none();
        let message = self.message.unwrap_or_else(fresh_id);
        let instance = self.id.unwrap_or_else(|| instance_id_for(&message));
        let envelope = envelope(message, instance.clone(), Command::Start(self.request), when);
        let reply = self.client.ask(Envelope { is_fresh, ..envelope }, self.within).await?;
        Ok((self.client, instance, reply))
    }

    /// Sends the start, then waits for the instance's end at most so long; `None` if it has not ended by then.
    pub async fn send_and_wait(self, timeout: Duration) -> Result<(Answer, Option<Ended>)> {
        let client = self.client;
        let answer = self.send().await?;
        let ended = client.wait(&answer.instance, timeout).await?;
        Ok((answer, ended))
    }
}
