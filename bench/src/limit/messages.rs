//! The messages of an instance, made once by our codec; only what tells one from another is filled in.

use std::num::NonZeroU16;

use anyhow::Context;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, LongString, ShortString},
};
use warren_broker::{
    Codec, Delivery, Envelope, HeaderValue, Message, Publication, Text, Topology, codec, decode_work_item,
};
use warren_model::{
    ActionId, AnswerTo, AnswerWhen, Command, ExecutionId, IfExists, InstanceId, MessageId, Outgoing, Partition,
    PartitionCount, Payload, StartRequest, Status, TaskScheduled,
};

use crate::{
    shape::Shape,
    workload::{self, CHAIN, PASS},
};

/// As long as an id that a client makes; the first part of a token.
const INSTANCE: &str = "00000000-0000-0000-0000-000000000000";
const EXECUTION: ExecutionId = ExecutionId::from_u128(u128::MAX / 3);
/// Where the number of the instance ends within a token, and that of the step begins.
const NUMBER_DIGITS: usize = 24;
const STEP_DIGITS: usize = INSTANCE.len() - NUMBER_DIGITS;

/// Written to disk.
const PERSISTENT: u8 = 2;

/// A kind of message.
pub(super) struct Template {
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
    pub(super) mandatory: bool,
}

/// All kinds of messages of an instance.
pub(super) struct Messages {
    pub(super) start: Template,
    pub(super) work_item: Template,
    pub(super) reply: Template,
    pub(super) outcome: Template,
    /// What follows the instance in a token.
    token_rest: String,
    /// How often an instance calls its activity.
    pub(super) steps: u32,
}

impl Messages {
    pub(super) fn new(topology: &Topology, shape: Shape) -> anyhow::Result<Self> {
        let one = PartitionCount(NonZeroU16::MIN);
        let codec = Codec::new(topology.clone(), one, [7; 16]);
        let instance = InstanceId::new(INSTANCE)?;
        let input = Payload::of(&workload::job(shape, 1_000_000))?;
        let parcel = Payload::of(&workload::parcel(1_000_000))?;
        let start = codec.command(&start(&instance, input)?);
        let task = TaskScheduled::new(ActionId(1), PASS.name(), parcel.clone());
        let token = codec.token(&instance, EXECUTION, task.id, task.attempt).to_string();
        let item = Outgoing::WorkItem { instance: instance.clone(), execution: EXECUTION, task, traceparent: None };
        let item = codec.outgoing(&item, Partition(0), None)?;
        let delivered =
            Delivery { tag: 1, redelivered: false, routing_key: Text::new(), message: item.message.clone() };
        let reply = codec::reply(&decode_work_item(&delivered)?, &Ok(parcel.clone()), "bench-worker");
        let outcome = Outgoing::Outcome {
            to: AnswerTo { reply_to: "answers".into(), correlation_id: Some("1".into()), stored: true, packs: false },
            instance,
            execution: EXECUTION,
            status: Status::Completed,
            outcome: Ok(parcel),
        };
        let outcome = codec.outgoing(&outcome, Partition(0), None)?;
        let token_rest = token.strip_prefix(INSTANCE).context("a token begins with its instance")?.to_owned();
        let [start, work_item, reply, outcome] = [start, item, reply, outcome].map(Template::of);
        Ok(Self { start, work_item, reply, outcome, token_rest, steps: shape.steps() })
    }

    /// Returns the token of a step of the instance with this number.
    pub(super) fn token(&self, number: u32, step: u32) -> String {
        format!("{number:0NUMBER_DIGITS$}{step:0STEP_DIGITS$}{}", self.token_rest)
    }
}

/// Returns whose token it is, and of which step.
pub(super) fn read_token(token: &str) -> anyhow::Result<(u32, u32)> {
    let part = |from, to| token.get(from..to).with_context(|| format!("{token:?} is no token"));
    Ok((part(0, NUMBER_DIGITS)?.parse()?, part(NUMBER_DIGITS, INSTANCE.len())?.parse()?))
}

fn start(instance: &InstanceId, input: Payload) -> anyhow::Result<Envelope> {
    let request = StartRequest {
        name: CHAIN.name().into(),
        version: None,
        input,
        tags: [].into(),
        traceparent: None,
        if_exists: IfExists::Fail,
    };
    Ok(Envelope {
        id: MessageId::new(INSTANCE)?,
        instance: instance.clone(),
        command: Command::Start(request),
        answer_to: Some(AnswerTo {
            reply_to: "answers".into(),
            correlation_id: Some("1".into()),
            stored: true,
            packs: false,
        }),
        when: AnswerWhen::Outcome,
        is_fresh: true,
    })
}

impl Template {
    fn of(publication: Publication) -> Self {
        let Publication { message, mandatory, .. } = publication;
        Self { properties: properties(&message), body: message.body.to_vec(), mandatory }
    }

    /// Returns the properties with other ids.
    pub(super) fn with(&self, message: ShortString, correlation: ShortString) -> BasicProperties {
        self.properties.clone().with_message_id(message).with_correlation_id(correlation)
    }
}

fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in message.headers.iter() {
        let value = match value {
            HeaderValue::Text(text) => AMQPValue::LongString(LongString::from(&text[..])),
            HeaderValue::Number(number) => AMQPValue::LongLongInt(*number),
            HeaderValue::Bool(truth) => AMQPValue::Boolean(*truth),
        };
        headers.insert((&name[..]).into(), value);
    }
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
    let short = |text: &Option<Text>| text.as_deref().map(ShortString::from);
    if let Some(kind) = short(&message.kind) {
        properties = properties.with_type(kind);
    }
    if let Some(content) = short(&message.content_type) {
        properties = properties.with_content_type(content);
    }
    if let Some(message_id) = short(&message.message_id) {
        properties = properties.with_message_id(message_id);
    }
    properties
}

#[cfg(test)]
#[path = "messages_test.rs"]
mod test;
