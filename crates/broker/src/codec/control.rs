//! What a control queue carries: commands, workers' replies, and word from other partitions.

use warren_model::{Failure, InstanceId, Partition, PartitionMessage, TaskEnded, code};

use super::{
    Begin, Codec, Envelope, HandBack, Heartbeat, Malformed, RedispatchOrder,
    fields::Fields,
    pack,
    wire::{self, header, kind},
};
use crate::{Address, Delivery, Publication};

/// What one message of a control queue means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A client asks for something.
    Command(Envelope),
    /// An attempt of a task has ended.
    Reply {
        /// Whose task.
        instance: InstanceId,
        /// Which attempt, and how.
        ended: TaskEnded,
    },
    /// A worker is at it.
    Heartbeat(Heartbeat),
    /// A worker stops before it has done it.
    HandBack(HandBack),
    /// Somebody asks that open work be sent again.
    Redispatch(RedispatchOrder),
    /// A worker asks whether it may begin a work item that has come again.
    Begin(Begin),
    /// Word from a partition.
    Partition {
        /// Who sent it.
        source: Partition,
        /// Its number among what that source has sent to this partition.
        sequence: u64,
        /// What it says.
        message: PartitionMessage,
    },
    /// A partition says how far it has taken what this one has sent it.
    Taken {
        /// Who says so.
        by: Partition,
        /// The number of the last message that it has taken, and all before it.
        up_to: u64,
    },
}

impl Inbound {
    /// Returns the instance that the message is for, if it is for one.
    pub fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Command(envelope) => Some(&envelope.instance),
            Self::Reply { instance, .. } => Some(instance),
            Self::Heartbeat(Heartbeat { of, .. }) | Self::HandBack(HandBack { of, .. }) => Some(&of.instance),
            Self::Begin(question) => Some(&question.of.instance),
            Self::Partition { message, .. } => Some(message.target()),
            Self::Redispatch(_) | Self::Taken { .. } => None,
        }
    }
}

impl Codec {
    /// Reads a message of a control queue.
    pub fn decode_control(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        pack::refuse(&delivery.message)?;
        match Fields(&delivery.message).kind() {
            None | Some(kind::RESULT | kind::FAILURE) => self.read_reply(delivery),
            Some(kind::HEARTBEAT) => self.read_heartbeat(delivery),
            Some(kind::HAND_BACK) => self.read_hand_back(delivery),
            Some(kind::BEGIN) => self.read_begin(delivery).map(Inbound::Begin),
            Some(kind::PARTITION) => self.read_partition(delivery),
            Some(kind::TAKEN) => self.read_taken(delivery),
            Some(kind::REDISPATCH) => self.read_redispatch(delivery).map(Inbound::Redispatch),
            Some(_) => self.read_command(delivery).map(Inbound::Command),
        }
    }

    /// Returns how a partition tells another that it has taken what that one has sent, up to a number.
    pub fn taken(&self, source: Partition, by: Partition, up_to: u64) -> Publication {
        let message = wire::message(kind::TAKEN, b"")
            .number(header::SOURCE, by.0.into())
            .number(header::SEQUENCE, i64::try_from(up_to).unwrap_or(i64::MAX));
        Publication { to: Address::Queue(self.control_queue(source)), mandatory: true, packs: true, message }
    }

    fn read_taken(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        let fields = Fields(&delivery.message);
        fields.check_format()?;
        let up_to = fields.required_number(header::SEQUENCE, "the number of the last message that was taken")?;
        Ok(Inbound::Taken { by: self.read_source(fields)?, up_to })
    }

    fn read_source(&self, fields: Fields<'_>) -> Result<Partition, Malformed> {
        let source = Partition(fields.required_number(header::SOURCE, "the sender's partition")?);
        if source.0 >= self.partitions().0.get() {
            let (name, count) = (header::SOURCE, self.partitions().0);
            return Err(Malformed::new(format!("header `{name}` is {source}: this hub has {count} partitions")));
        }
        Ok(source)
    }

    fn read_partition(&self, delivery: &Delivery) -> Result<Inbound, Malformed> {
        let fields = Fields(&delivery.message);
        fields.check_format()?;
        let source = self.read_source(fields)?;
        let sequence = fields.required_number(header::SEQUENCE, "the message's number")?;
        let message: PartitionMessage = serde_json::from_slice(&delivery.message.body)
            .map_err(|error| Malformed::new(format!("the body is no message between partitions: {error}")))?;
        self.check_home(delivery, message.target())?;
        let message = match fields.missing()? {
            Some(reason) => vanished(message, reason),
            None => message,
        };
        Ok(Inbound::Partition { source, sequence, message })
    }
}

/// Says of a word that its payload is gone.
fn vanished(word: PartitionMessage, reason: String) -> PartitionMessage {
    match word {
        PartitionMessage::ChildEnded { parent, .. } => {
            PartitionMessage::ChildEnded { parent, outcome: Err(Failure::new(code::PAYLOAD_MISSING, reason)) }
        }
        word @ (PartitionMessage::ChildStart(_)
        | PartitionMessage::Raise { .. }
        | PartitionMessage::Terminate { .. }
        | PartitionMessage::Vanished { .. }) => PartitionMessage::Vanished { word: Box::new(word), reason },
    }
}

#[cfg(test)]
#[path = "control_test.rs"]
mod test;
