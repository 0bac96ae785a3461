//! A message as AMQP carries it: properties, headers, body; no meaning yet.

use std::{collections::BTreeMap, sync::Arc};

/// What an AMQP header may hold, as far as Warren writes or reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth value.
    Bool(bool),
}

/// A message's properties and body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The AMQP `type`.
    pub kind: Option<String>,
    /// The AMQP `correlation-id`; at most 255 bytes, as all short strings.
    pub correlation_id: Option<String>,
    /// The AMQP `reply-to`: a queue of the default exchange.
    pub reply_to: Option<String>,
    /// The AMQP `message-id`.
    pub message_id: Option<String>,
    /// The AMQP `content-type`.
    pub content_type: Option<String>,
    /// The AMQP headers that hold text, whole numbers or truth values; others are left out when read.
    pub headers: BTreeMap<String, HeaderValue>,
    /// The body. Cheap to clone.
    pub body: Arc<[u8]>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// To this queue, by the default exchange.
    Queue(String),
    /// To an exchange, with a routing key.
    Exchange {
        /// The exchange's name.
        exchange: String,
        /// The routing key.
        key: String,
    },
}

/// A message on its way to the broker; always persistent and confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where to.
    pub to: Address,
    /// Whether it is an error that no queue takes it.
    pub mandatory: bool,
    /// Whether its receiver takes packs, so that it may travel in one message with others.
    pub packs: bool,
    /// What.
    pub message: Message,
}

/// A message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// By which it is acknowledged; rises by one with each delivery of a consumer, from 1.
    pub tag: u64,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// The routing key it was published with.
    pub routing_key: String,
    /// What.
    pub message: Message,
}
