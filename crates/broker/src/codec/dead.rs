//! Copies for the dead queue: the message as it was, and why it is there.

use super::{Codec, wire::header};
use crate::{Address, Delivery, Publication};

/// How much of a reason is kept: headers must fit one AMQP frame, and a person reads it.
const REASON_CHARS_MAX: usize = 1000;

impl Codec {
    /// Returns the message for the dead queue, with its own properties and body, and with headers that say why, and
    /// from which queue and routing key it came, so that it can be sent there again.
    pub fn dead(&self, delivery: &Delivery, reason: &str, from_queue: &str) -> Publication {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let message = delivery
            .message
            .clone()
            .text(header::DEAD_REASON, reason)
            .text(header::DEAD_QUEUE, from_queue)
            .text(header::DEAD_KEY, &*delivery.routing_key);
        Publication { to: Address::Queue(self.topology().dead().name), mandatory: true, message }
    }
}

#[cfg(test)]
#[path = "dead_test.rs"]
mod test;
