//! Claim checks: large payloads stay in the payload store while their messages travel.
//!
//! [`Claiming`] is a broker around another one. What is published through it and is too large to travel whole, to a
//! queue whose consumers take claims, is kept in the payload store first; then its message goes, with a claim in the
//! place of the payload. Whoever consumes through it is handed messages that are whole again. So the loops of owners,
//! workers and clients know nothing of it, and nothing that is large lies in the broker's memory.
//!
//! ```text
//! loop ──publish──▶ Claiming ──keep, then the message with its claim──▶ broker ──▶ Claiming ──fetch──▶ loop
//!                                                                                     └──ack──▶ drop the payload
//! ```
//!
//! A payload is dropped once the message of a control queue that referred to it is acknowledged, which is after the
//! commit that took it over. A work item's goes with its reply, whose header names it: until then another worker may need
//! it. What is left by a crash in between is forgotten after the duplicate window, by
//! [`Store::expire`](warren_store::Store::expire).
//!
//! If a payload is gone, its message keeps the claim, and the codec says so to the loop. This crate decides nothing else.

mod broker;
mod consumer;
mod counter;
mod held;
mod publisher;
mod sweep;
mod trouble;

pub use broker::Claiming;
pub use consumer::{ClaimingAcker, ClaimingConsumer};
pub use publisher::{ClaimingPublisher, ClaimingRequester};

#[cfg(test)]
mod test;
