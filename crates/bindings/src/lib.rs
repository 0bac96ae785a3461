//! Ways in for other systems, by settings alone: what they send as they like begins orchestrations and raises events.
//!
//! ```text
//! request ──Gatekeeper──▶ Arrival ──Mapping──▶ Order ──client──▶ the instance's owner
//! message ───────────────────┘
//! ```
//!
//! A binding decides nothing about instances: it turns what arrived into a command, whose answer is the owner's. Here are
//! the queues and streams; the requests, and who may send them, are in client-api's library.

mod brokers;
mod consumers;
mod error;
mod maker;
mod mapping;
pub mod metrics;
mod queue;
mod source;
mod standing;
mod stream;
#[cfg(test)]
mod system;
#[cfg(test)]
mod testing;

pub use consumers::Consumers;
pub use error::Error;
pub use maker::Maker;
pub use mapping::{Arrival, Mapping, Order};
