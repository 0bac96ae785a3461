//! Copies for the dead queue: the message as it was, and why it is there.

use super::{Codec, wire::header};
use crate::{Address, Delivery, HeaderValue, Publication};

/// How much of a reason is kept: headers must fit one AMQP frame, and a person reads it.
const REASON_CHARS_MAX: usize = 1000;
/// Largest body of a copy, below the largest message that RabbitMQ 4 takes; a copy that nobody can carry would be tried
/// for ever, and everything behind its original would wait.
const BODY_BYTES_MAX: usize = 15 << 20;
/// How much is kept of a larger one.
const BODY_BYTES_KEPT: usize = 64 << 10;
/// How much the headers may take that the message had, so that ours fit the frame as well.
const HEADER_BYTES_MAX: usize = 96 << 10;

impl Codec {
    /// Returns the message for the dead queue, with its own properties and body, and with headers that say why, and
    /// from which queue and routing key it came, so that it can be sent there again. What is too large is cut.
    pub fn dead(&self, delivery: &Delivery, reason: &str, from_queue: &str) -> Publication {
        let mut reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let mut message = delivery.message.clone();
        message.mark_repeated();
        let (size, before) = (message.body.len(), message.headers.len());
        if size > BODY_BYTES_MAX.min(self.topology().bodies().bytes_max) {
            message.body.truncate(BODY_BYTES_KEPT);
            reason += &format!(" (this copy has only the first {BODY_BYTES_KEPT} of {size} bytes)");
        }
        let mut bytes = 0;
        message.headers.retain(|name, value| {
            bytes += name.len() + size_of(value);
            bytes <= HEADER_BYTES_MAX
        });
        if message.headers.len() < before {
            reason += &format!(" (this copy has only {} of {before} headers)", message.headers.len());
        }
        let message = message
            .text(header::DEAD_REASON, reason)
            .text(header::DEAD_QUEUE, from_queue)
            .text(header::DEAD_KEY, delivery.routing_key.clone());
        Publication { to: Address::Queue(self.topology().dead().name.into()), mandatory: true, packs: false, message }
    }
}

fn size_of(value: &HeaderValue) -> usize {
    match value {
        HeaderValue::Text(text) => text.len(),
        HeaderValue::Number(_) | HeaderValue::Bool(_) => 8,
    }
}

#[cfg(test)]
#[path = "dead_test.rs"]
mod test;
