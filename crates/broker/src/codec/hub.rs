//! The codec of one hub: its names, its partitions, and the secret that signs tokens.

use std::{fmt, hash::Hasher, sync::Arc};

use siphasher::sip::SipHasher24;
use warren_model::{ActionId, AnswerTo, ExecutionId, InstanceId, Partition, PartitionCount, Token};

use super::{Malformed, fields::Fields, wire::header};
use crate::{Delivery, Text, Topology};

/// Turns meaning into messages and back, for one hub. Cheap to clone.
#[derive(Clone)]
pub struct Codec {
    topology: Arc<Topology>,
    partitions: PartitionCount,
    secret: [u8; 16],
    /// The names of the partitions' control queues, which almost every message says.
    controls: Arc<[Text]>,
}

impl Codec {
    /// Returns the codec of a hub. `secret` is stored with the hub: with another one, open replies would be refused.
    pub fn new(topology: Topology, partitions: PartitionCount, secret: [u8; 16]) -> Self {
        let controls = partitions.all().map(|partition| topology.control(partition).name.into()).collect();
        Self { topology: Arc::new(topology), partitions, secret, controls }
    }

    /// Returns the hub's topology.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Returns the hub's partition count.
    pub fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    /// Returns the token by which the reply to this attempt of a task is known.
    pub fn token(&self, instance: &InstanceId, execution: ExecutionId, task: ActionId, attempt: u32) -> Token {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        // The parts behind the instance have fixed lengths, so no two tokens are the same bytes.
        hasher.write(instance.as_str().as_bytes());
        hasher.write(&execution.as_u128().to_be_bytes());
        hasher.write(&task.0.to_be_bytes());
        hasher.write(&attempt.to_be_bytes());
        Token { instance: instance.clone(), execution, task, attempt, digest: hasher.finish() }
    }

    /// Returns the token that the text spells; fails if it is none, or if this hub did not make it.
    pub fn verify(&self, text: &str) -> Result<Token, Malformed> {
        let token: Token = text.parse().map_err(|_| {
            Malformed::new(format!("correlation_id {text:?} is no token: expected that of the work item, unchanged"))
        })?;
        if token == self.token(&token.instance, token.execution, token.task, token.attempt) {
            return Ok(token);
        }
        let hub = self.topology.hub();
        Err(Malformed::new(format!(
            "correlation_id {text:?} is a token with a wrong digest: hub {hub} did not make it"
        )))
    }

    /// Returns where an answer to the message may go, if its sender asked for one and the place is not the hub's own.
    ///
    /// For telling the sender of a malformed message; [`Codec::decode_ingress`] and [`Codec::decode_control`] read the
    /// same of a well-formed one.
    pub fn answer_to(&self, delivery: &Delivery) -> Option<AnswerTo> {
        self.read_answer_to(Fields(&delivery.message)).ok().flatten()
    }

    /// Reads where an answer goes; fails if that is a queue of the hub.
    pub(super) fn read_answer_to(&self, fields: Fields<'_>) -> Result<Option<AnswerTo>, Malformed> {
        let correlation_id = fields.correlation_id()?.map(ToString::to_string);
        let Some(reply_to) = fields.reply_to()? else { return Ok(None) };
        if self.topology.is_engine_queue(reply_to) {
            return Err(Malformed::new(format!(
                "property reply_to names {reply_to:?}, a queue of this hub: expected a queue of the sender's own"
            )));
        }
        let (stored, packs) = (fields.flag(header::STORED)?, fields.flag(header::PACKS)?);
        Ok(Some(AnswerTo { reply_to: reply_to.to_string(), correlation_id, stored, packs }))
    }

    /// Fails if the message came by a control queue that is not its instance's.
    pub(super) fn check_home(&self, delivery: &Delivery, instance: &InstanceId) -> Result<(), Malformed> {
        let Some(came_by) = self.topology.partition_of_control(&delivery.routing_key) else { return Ok(()) };
        match self.partitions.of(instance) {
            home if home == came_by => Ok(()),
            home => Err(Malformed::new(format!(
                "instance {instance} belongs to partition {home} of {}, but the message came to partition {came_by}: \
                 its sender reckons with another partition count",
                self.partitions.0
            ))),
        }
    }

    /// Returns the name of a partition's control queue.
    pub(super) fn control_queue(&self, partition: Partition) -> Text {
        let known = self.controls.get(usize::from(partition.0)).cloned();
        known.unwrap_or_else(|| self.topology.control(partition).name.into())
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the secret.
        f.debug_struct("Codec").field("hub", &self.topology.hub()).field("partitions", &self.partitions).finish()
    }
}

#[cfg(test)]
#[path = "hub_test.rs"]
mod test;
