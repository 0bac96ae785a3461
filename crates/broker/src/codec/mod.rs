//! What messages mean: the only place that knows which property, header or body says what.
//!
//! Pure: no clock and no I/O, and bytes that make no sense become a sentence for a person, never a panic. The body is
//! the user's payload and nothing else; what is ours travels in properties and headers. Three sides use it: owners and
//! the ingress forwarder through [`Codec`], workers through [`WorkItem`], clients through both [`Codec`] (commands)
//! and [`ClientReply`].

mod answer;
mod begin;
pub mod claim;
mod command;
mod control;
mod dead;
mod fields;
mod hub;
mod ingress;
mod malformed;
mod outgoing;
pub mod pack;
mod redispatch;
mod reply;
mod wire;
mod word;
mod work_item;

pub use answer::{ClientReply, decode_client_reply};
pub use begin::{Begin, Permit, begin};
pub use claim::{Claim, Parcel};
pub use command::Envelope;
pub use control::Inbound;
pub use hub::Codec;
pub use ingress::Ingress;
pub use malformed::Malformed;
pub use redispatch::RedispatchOrder;
pub use word::{Attempt, Beat, HandBack, Heartbeat, OwnerWord, decode_owner_word, hand_back, heartbeat};
pub use work_item::{WorkItem, came_again, decode_work_item, given_back, reply, time_told, timed};

#[cfg(test)]
mod fixture;
