//! Open work is sent again: one order to the owner of every partition.

use std::time::Duration;

use futures_util::future::try_join_all;
use warren_broker::{ClientReply, RedispatchOrder};
use warren_model::{self as model, MessageId, Partition, Redispatched};
use warren_store::Queries;

use crate::{
    About, Client, Error, Result,
    client::{fresh_id, to_the_link},
};

/// A redispatch that is ready to be sent.
#[derive(Debug)]
#[must_use = "nothing happens until it is sent"]
pub struct Redispatch<'a, Q> {
    client: &'a Client<Q>,
    what: model::Redispatch,
    message: Option<MessageId>,
    within: Duration,
}

impl<'a, Q: Queries> Redispatch<'a, Q> {
    pub(crate) fn new(client: &'a Client<Q>, what: model::Redispatch) -> Self {
        Self { client, what, message: None, within: client.options().within }
    }

    /// Sets the message id, so that the caller may ask again for the same one, and is told when it is done.
    pub fn message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Sets how long to wait for the end: an owner goes through all of its instances.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Sends the order to every partition, or to that of the instance that it names; returns what was sent again, once
    /// the broker has all of it.
    pub async fn send(self) -> Result<Redispatched> {
        let Self { client, what, message, within } = self;
        let count = client.queries().hub().partitions;
        let partitions: Vec<Partition> = match &what.instance {
            Some(instance) => vec![count.of(instance)],
            None => count.all().collect(),
        };
        let id = message.unwrap_or_else(fresh_id);
        let order = RedispatchOrder { id, what, answer_to: Some(to_the_link()) };
        let orders = partitions.into_iter().map(|partition| {
            let order = &order;
            async move {
                match client.order(partition, order, within).await? {
                    ClientReply::Redispatched(redispatched) => Ok(redispatched),
                    ClientReply::Refused(refusal) => Err(Error::Refused(refusal)),
                    ClientReply::Answer(_)
                    | ClientReply::Awaited(_)
                    | ClientReply::Outcome { .. }
                    | ClientReply::Stored { .. } => {
                        let why = "it is of another kind: expected `redispatched`".into();
                        Err(Error::Answer { about: About::Partition(partition), why })
                    }
                }
            }
        });
        let mut sum = Redispatched::default();
        try_join_all(orders).await?.into_iter().for_each(|one| sum += one);
        Ok(sum)
    }
}
