//! A broker in one process: the twin of RabbitMQ for tests, demos and the simulation.
//!
//! Keeps nothing on disk and knows no network; everything else that Warren rests on is as RabbitMQ does it, and the
//! conformance suite holds both to it: confirms, mandatory returns, prefetch, requeueing at the old place, single
//! active consumer, topics, direct reply-to, the delivery limit of quorum queues.

mod broker;
mod channel;
mod consumer;
mod faults;
mod publisher;
mod queue;
mod requester;
mod state;
mod topic;

pub use broker::Memory;
pub use consumer::{MemoryAcker, MemoryConsumer};
pub use publisher::MemoryPublisher;
pub use requester::MemoryRequester;
