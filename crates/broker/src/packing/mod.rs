//! A broker around a broker: messages that may share one do, and whoever consumes is handed them one by one.
//!
//! The broker's cost per message is the largest of all. [`Packing`] publishes in one message whatever has gathered for a
//! receiver that takes packs ([`Publication::packs`](crate::Publication::packs)) while the one before was on its way, and
//! never waits for more to come. Each part has the result of its pack. On the other side it takes packs apart and counts
//! acknowledgements, so that no loop knows of packs:
//!
//! ```text
//! loop ──publish──▶ Lanes ──one message──▶ broker ──▶ Tally ──parts──▶ loop
//!                                             ◀─ack─────┘   ◀──acks──────┘
//! ```
//!
//! What travels is said by [`codec::pack`](crate::codec::pack). The decisions are [`Lanes`], [`Pace`] and
//! [`Tally`], without I/O. Of work items, which other consumers could begin as well, a pack holds few, and those that find no
//! slot go back to their queue.

mod back;
mod broker;
mod consumer;
mod lanes;
mod pace;
mod publisher;
mod returns;
mod tally;

pub use broker::Packing;
pub use consumer::{PackingAcker, PackingConsumer};
pub use lanes::{Departure, Lanes};
pub use pace::Pace;
pub use publisher::{PackingPublisher, PackingRequester};
pub use tally::{Tally, Word};
