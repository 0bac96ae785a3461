//! Word that a task is still being done, from whoever has its token.

use warren_broker::{Beat, ClientReply};
use warren_model::{Payload, Token};
use warren_store::Queries;

use crate::{About, Client, Error, Result, ask::unexpected, check, client::fresh_id};

/// What an owner calls the sender.
const SENDER: &str = "a client";

impl<Q: Queries> Client<Q> {
    /// Says that a task which a worker has handed over is still being done, and how far it has come. Returns whether
    /// anybody waits for it: else it was cancelled, ran out of time, or has ended.
    pub async fn heartbeat(&self, token: &Token, progress: Option<Payload>) -> Result<bool> {
        if let Some(progress) = &progress {
            check::payload("progress", progress, self.options().payload_bytes_max)?;
        }
        let beat = Beat { progress, ..Beat::default() };
        let publication = self.codec().beat(token, SENDER, &beat);
        let about = About::Instance(token.instance.clone());
        match self.request(publication, about, fresh_id(), self.options().within).await? {
            ClientReply::Awaited(is_awaited) => Ok(is_awaited),
            ClientReply::Refused(refusal) => Err(Error::Refused(refusal)),
            ClientReply::Answer(_)
            | ClientReply::Redispatched(_)
            | ClientReply::Outcome { .. }
            | ClientReply::Stored { .. } => Err(unexpected(&token.instance, "`held` or `cancel`")),
        }
    }
}
