//! Starts and events from other systems, one plain AMQP message each.

use uuid::Uuid;
use warren_model::{Command, InstanceId, MessageId, instance_id_for};

use super::{
    Codec, Envelope, Malformed,
    command::{answer_when, read_start},
    fields::{Fields, check_name},
    pack,
    wire::header,
};
use crate::Delivery;

/// A message of the ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// What it asks, ready for the control queue.
    pub envelope: Envelope,
    /// Whether the sender set no `message_id`, so that the id was made up: should the message be delivered again, it
    /// acts again. Worth a metric.
    pub has_random_id: bool,
}

impl Codec {
    /// Reads a message of the ingress. The routing key says what it asks: `start.<orchestrator>` or `raise.<event>`.
    pub fn decode_ingress(&self, delivery: &Delivery) -> Result<Ingress, Malformed> {
        pack::refuse(&delivery.message)?;
        let fields = Fields(&delivery.message);
        if fields.claim()?.is_some() {
            let name = header::CLAIM;
            return Err(Malformed::new(format!(
                "header `{name}` is for Warren's own components: expected the input as the body"
            )));
        }
        let given = fields.message_id()?;
        let has_random_id = given.is_none();
        let id = given.unwrap_or_else(|| MessageId::from_uuid(Uuid::now_v7()));
        let (instance, command) = read(&delivery.routing_key, fields, &id)?;
        let (answer_to, when) = (self.read_answer_to(fields)?, answer_when(fields)?);
        Ok(Ingress { envelope: Envelope { id, instance, command, answer_to, when, is_fresh: false }, has_random_id })
    }
}

fn read(key: &str, fields: Fields<'_>, id: &MessageId) -> Result<(InstanceId, Command), Malformed> {
    match key.split_once('.') {
        Some(("start", name)) => {
            check_name("the orchestrator in the routing key", name)?;
            let instance = fields.instance()?.unwrap_or_else(|| instance_id_for(id));
            Ok((instance, Command::Start(read_start(fields, name.into())?)))
        }
        Some(("raise", name)) => {
            check_name("the event in the routing key", name)?;
            let instance = fields.required_instance()?;
            let (event, input) = (name.into(), fields.payload()?);
            Ok((instance, Command::Raise { event, input, keep_unseen: true }))
        }
        Some(_) | None => Err(Malformed::new(format!(
            "the routing key is {key:?}: expected `start.<orchestrator>` or `raise.<event>`"
        ))),
    }
}

#[cfg(test)]
#[path = "ingress_test.rs"]
mod test;
