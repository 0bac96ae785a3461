//! RabbitMQ, as Warren uses it: the trait, the topology of a hub, the codec of messages, and a backend per transport.
//!
//! `amqp` speaks to a real broker through lapin; `memory` is its twin in one process. Both pass one conformance suite.

mod error;
mod message;
mod transport;

pub use error::{Error, Result};
pub use message::{Address, Delivery, HeaderValue, Message, Publication};
pub use transport::{Acker, Broker, Consumer, Health, Published, Publisher, QueueKind, QueueSpec, Requester};
