//! Waits for the end of an instance.

use std::time::Duration;

use warren_broker::ClientReply;
use warren_model::{AnswerWhen, Command, InstanceId, Outcome, Refusal, RefusalCode, Status};
use warren_store::Queries;

use crate::{
    Client, Error, Result,
    ask::unexpected,
    client::{envelope, fresh_id},
};

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it stands.
    pub status: Status,
    /// Its result, or why there is none.
    pub outcome: Outcome,
}

impl<Q: Queries> Client<Q> {
    /// Waits for the instance's end at most so long; `None` if it has not ended by then.
    ///
    /// The owner is asked again every few seconds: its answer comes at most once, and a new owner does not know who waits.
    pub async fn wait(&self, id: &InstanceId, timeout: Duration) -> Result<Option<Ended>> {
        let envelope = envelope(fresh_id(), id.clone(), Command::Wait, AnswerWhen::Outcome);
        match self.ask(envelope, timeout).await {
            Ok(reply) => self.end(id, reply).await.map(Some),
            Err(Error::Timeout { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Returns the end that an answer tells of.
    pub(crate) async fn end(&self, id: &InstanceId, reply: ClientReply) -> Result<Ended> {
        match reply {
            ClientReply::Outcome { status, outcome, .. } => Ok(Ended { status, outcome }),
            ClientReply::Stored { .. } => self.ended(id).await,
            ClientReply::Refused(refusal) => Err(Error::Refused(refusal)),
            ClientReply::Answer(_) | ClientReply::Redispatched(_) | ClientReply::Awaited(_) => {
                Err(unexpected(id, "an outcome"))
            }
        }
    }

    /// Reads how an instance ended whose outcome is too large to travel.
    async fn ended(&self, id: &InstanceId) -> Result<Ended> {
        let view = self.status(id).await?;
        let ended = view.and_then(|view| Some(Ended { status: view.record.status, outcome: view.outcome? }));
        ended.ok_or_else(|| {
            let message = format!("instance {id} has ended, and is not in the store any more: it was purged");
            Error::Refused(Refusal { code: RefusalCode::NotFound, message })
        })
    }
}
