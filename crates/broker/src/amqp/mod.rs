//! RabbitMQ through lapin.
//!
//! Two connections: one receives (and looks at queues), one sends, because a broker in an alarm stops reading from
//! whoever publishes, acknowledgements included. A keeper per connection connects, watches and connects again; lapin's
//! own recovery stays off, since leases and epochs must notice a reconnect. Consumers and publishers of a lost connection
//! end, and their owners ask for new ones.

mod address;
mod backoff;
mod broker;
mod config;
mod consumer;
mod convert;
mod declare;
mod driver;
mod error;
mod full;
mod ledger;
mod link;
#[cfg(test)]
mod proxy;
mod publisher;
mod pulse;
mod refusals;
mod requester;
mod stream;

pub use address::addresses;
pub use broker::Amqp;
pub use config::AmqpConfig;
pub use consumer::{AmqpAcker, AmqpConsumer};
pub use publisher::AmqpPublisher;
pub use requester::AmqpRequester;
pub use stream::{STREAM_OFFSET, StreamStart};
