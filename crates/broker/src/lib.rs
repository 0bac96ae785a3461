//! RabbitMQ, as Warren uses it: the trait, the topology of a hub, the codec of messages, and a backend per transport.
//!
//! `amqp` speaks to a real broker through lapin; `memory` is its twin in one process. Both pass one conformance suite.

pub mod amqp;
mod bodies;
pub mod codec;
#[cfg(test)]
mod conformance;
mod error;
mod headers;
pub mod memory;
mod message;
mod name;
pub mod packing;
mod topology;
mod transport;
mod work_queue;

pub use bodies::Bodies;
pub use codec::{
    Attempt, Beat, Begin, Claim, ClientReply, Codec, Envelope, HandBack, Heartbeat, Inbound, Ingress, Malformed,
    OwnerWord, Parcel, Permit, RedispatchOrder, WorkItem, decode_client_reply, decode_owner_word, decode_work_item,
};
pub use error::{Error, Result};
pub use headers::{HeaderValue, Headers};
pub use message::{Address, Delivery, Message, Publication, Text};
pub use name::{HUB_BYTES_MAX, NameError};
pub use topology::{Arguments, Binding, DELIVERY_LIMIT_DEFAULT, QueueType, Topology};
pub use transport::{Acker, Broker, Consumer, Health, Published, Publisher, QueueKind, QueueSpec, Requester};
pub use work_queue::{Lane, QueueRules};
