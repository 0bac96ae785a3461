//! The Rust client of a hub: start, raise, terminate, suspend, resume, purge, redispatch and wait; status, history and lists.
//!
//! A command is one message to the control queue of its instance's partition, and its answer comes back on the
//! client's own channel after the owner's commit, at most once. So the client asks again, with the same ids, until it
//! is answered or the caller's time is up: the owner gives a duplicate the first answer again. Reads go to the store
//! and never to the broker.
//!
//! ```text
//! Client ──requests──▶ Link ──command──▶ H.control.NN
//!    ▲                  │ ▲
//!    └──── answers ─────┘ └──answer── direct reply-to
//! ```
//!
//! [`Client`] is a cheap handle; [`Link`] is the one task that owns the channel. Every decision of the link (when to
//! send, when to give up, what to tell) is made by a table without I/O or clock; the link only moves bytes. This crate
//! never writes to the store, never consumes a queue of the hub, and needs no secret.

mod ask;
mod check;
mod client;
mod error;
mod heartbeat;
mod link;
mod options;
mod pace;
mod purge;
mod reads;
mod redispatch;
mod requests;
mod start;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod wait;

pub use ask::Ask;
pub use client::{Carrier, Client};
pub use error::{About, Error, Result};
pub use link::Link;
pub use options::Options;
pub use purge::{Purge, PurgeAll, Purged};
pub use redispatch::Redispatch;
pub use start::Start;
pub use wait::Ended;
pub use warren_model as model;
