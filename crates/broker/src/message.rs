//! A message as AMQP carries it: properties, headers, body; no meaning yet.

use bytes::Bytes;
pub use bytestring::ByteString as Text;

use crate::Headers;

/// A message's properties and body. Its texts and its body are cheap to clone, and may be parts of what they arrived in:
/// whoever keeps one longer than the delivery copies it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The AMQP `type`.
    pub kind: Option<Text>,
    /// The AMQP `correlation-id`; at most 255 bytes, as all short strings.
    pub correlation_id: Option<Text>,
    /// The AMQP `reply-to`: a queue of the default exchange.
    pub reply_to: Option<Text>,
    /// The AMQP `message-id`.
    pub message_id: Option<Text>,
    /// The AMQP `content-type`.
    pub content_type: Option<Text>,
    /// The AMQP headers that hold text, whole numbers or truth values; others are left out when read.
    pub headers: Headers,
    /// The body. Cheap to clone.
    pub body: Bytes,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// To this queue, by the default exchange.
    Queue(Text),
    /// To an exchange, with a routing key.
    Exchange {
        /// The exchange's name.
        exchange: Text,
        /// The routing key.
        key: Text,
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
    pub routing_key: Text,
    /// What.
    pub message: Message,
}
