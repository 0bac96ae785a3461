//! The order to send open work again: for a partition, not for one instance.

use warren_model::{AnswerTo, MessageId, Partition, Redispatch, Redispatched};

use super::{
    Codec, Malformed,
    fields::Fields,
    outgoing::to_sender,
    wire::{self, header, kind},
};
use crate::{Address, Delivery, Publication};

/// An order to send open work again, with its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedispatchOrder {
    /// By which whoever asks again is known; the same for every partition.
    pub id: MessageId,
    /// Which work.
    pub what: Redispatch,
    /// Where the answer goes, if one is wanted.
    pub answer_to: Option<AnswerTo>,
}

impl Codec {
    /// Returns the order as a message to a partition's control queue.
    pub fn redispatch(&self, partition: Partition, order: &RedispatchOrder) -> Publication {
        let Redispatch { queue, older_than_seconds, instance } = &order.what;
        let mut message = wire::message(kind::REDISPATCH, b"")
            .maybe_text(header::QUEUE, queue.as_deref())
            .maybe_text(header::INSTANCE, instance.as_ref().map(|instance| instance.as_str()))
            .number(header::OLDER_THAN, i64::try_from(*older_than_seconds).unwrap_or(i64::MAX));
        message.message_id = Some(order.id.as_str().into());
        if let Some(to) = &order.answer_to {
            message = message.answered_to(to);
        }
        Publication { to: Address::Queue(self.control_queue(partition)), mandatory: true, packs: true, message }
    }

    /// Returns the answer to the order, once everything is sent.
    pub fn redispatched(&self, to: &AnswerTo, redispatched: &Redispatched) -> Publication {
        let body = serde_json::to_vec(redispatched).expect("numbers are JSON");
        to_sender(to, wire::message(kind::REDISPATCHED, &body))
    }

    /// Reads the order from a control queue.
    pub(super) fn read_redispatch(&self, delivery: &Delivery) -> Result<RedispatchOrder, Malformed> {
        let fields = Fields(&delivery.message);
        fields.check_format()?;
        let id = fields.message_id()?;
        let id = id.ok_or_else(|| Malformed::new("property message_id is missing: expected a unique id"))?;
        let instance = fields.instance()?;
        if let Some(instance) = &instance {
            self.check_home(delivery, instance)?;
        }
        let what = Redispatch {
            queue: fields.name(header::QUEUE)?,
            older_than_seconds: fields.number::<u64>(header::OLDER_THAN)?.unwrap_or(0),
            instance,
        };
        Ok(RedispatchOrder { id, what, answer_to: self.read_answer_to(fields)? })
    }
}

#[cfg(test)]
#[path = "redispatch_test.rs"]
mod test;
