//! The handle that callers hold.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{self, Instant},
};
use uuid::Uuid;
use warren_broker::{Broker, ClientReply, Codec, Envelope, Publication, RedispatchOrder, Topology, packing::Packing};
use warren_claims::Claiming;
use warren_model::{AnswerTo, AnswerWhen, Command, InstanceId, MessageId, Outcome, Partition, Payload, Token};
use warren_store::{Filter, Payloads, Queries};

use crate::{About, Ask, Error, Link, Options, Purge, PurgeAll, Redispatch, Result, Start, check, requests::Request};

/// How many requests wait for the link at most before their callers do.
const WAITING_MAX: usize = 1_000;

/// The broker as a client uses it: with packs, and with large payloads in the payload store.
pub type Carrier<B, Q> = Claiming<Packing<B>, Q>;

/// Talks to one hub. Cheap to clone; all clones share one channel to the broker.
#[derive(Clone, Debug)]
pub struct Client<Q> {
    queries: Q,
    shared: Arc<Shared>,
    link: mpsc::Sender<Request>,
}

#[derive(Debug)]
struct Shared {
    codec: Codec,
    options: Options,
}

impl<Q: Queries> Client<Q> {
    /// Returns a client and the link that it needs running: `tokio::spawn(link.run())`, or [`Client::connect`].
    ///
    /// The hub's names come from `topology`, its partition count from the store; fails if the two are of different hubs.
    pub fn new<B: Broker>(
        broker: B,
        queries: Q,
        topology: Topology,
        options: Options,
    ) -> Result<(Self, Link<Carrier<B, Q>>)>
    where
        Q: Payloads,
    {
        let hub = queries.hub();
        if hub.name != topology.hub() {
            return Err(Error::Hub { configured: topology.hub().into(), stored: hub.name.clone() });
        }
        // A client signs no tokens and checks none: it needs no secret, and so none of it is kept here.
        let codec = Codec::new(topology, hub.partitions, [0; 16]);
        let (sender, incoming) = mpsc::channel(WAITING_MAX);
        let broker = Packing::new(broker, codec.topology().clone());
        let broker = Claiming::new(broker, queries.clone(), codec.topology().clone());
        let link = Link::new(broker, codec.topology().hub().into(), incoming);
        Ok((Self { queries, shared: Arc::new(Shared { codec, options }), link: sender }, link))
    }

    /// Returns a client whose link runs as a task of the current runtime, until every clone is dropped.
    ///
    /// Returns at once: a broker that is away is called again for as long as the client lives.
    pub fn connect<B: Broker>(broker: B, queries: Q, topology: Topology, options: Options) -> Result<Self>
    where
        Q: Payloads,
    {
        let (client, link) = Self::new(broker, queries, topology, options)?;
        tokio::spawn(link.run());
        Ok(client)
    }

    /// Begins an instance: `client.start("order", input).id(id).send().await`.
    pub fn start(&self, name: impl Into<String>, input: Payload) -> Start<'_, Q> {
        Start::new(self, name.into(), input)
    }

    /// Sends an instance an event. One that nobody has seen is refused, and so is one that has ended.
    pub fn raise(&self, id: &InstanceId, event: impl Into<String>, input: Payload) -> Ask<'_, Q> {
        Ask::new(self, id, Command::Raise { event: event.into(), input, keep_unseen: false })
    }

    /// Sends an instance an event, which waits for it if nobody has started it yet.
    pub fn raise_early(&self, id: &InstanceId, event: impl Into<String>, input: Payload) -> Ask<'_, Q> {
        Ask::new(self, id, Command::Raise { event: event.into(), input, keep_unseen: true })
    }

    /// Ends an instance; with `recursive`, its open children too.
    pub fn terminate(&self, id: &InstanceId, reason: Option<String>, recursive: bool) -> Ask<'_, Q> {
        Ask::new(self, id, Command::Terminate { reason, recursive })
    }

    /// Pauses an instance: it keeps what arrives and does nothing.
    pub fn suspend(&self, id: &InstanceId, reason: Option<String>) -> Ask<'_, Q> {
        Ask::new(self, id, Command::Suspend { reason })
    }

    /// Lets a paused instance go on.
    pub fn resume(&self, id: &InstanceId, reason: Option<String>) -> Ask<'_, Q> {
        Ask::new(self, id, Command::Resume { reason })
    }

    /// Ends a task that a worker has handed over, by its token. Answered once that is committed; refused if nobody waits
    /// for it (any more).
    pub fn complete(&self, token: Token, outcome: Outcome) -> Ask<'_, Q> {
        let instance = token.instance.clone();
        Ask::new(self, &instance, Command::Complete { token, outcome })
    }

    /// Removes an instance that has ended, and what is stored of it; its start stays known for the duplicate window.
    pub fn purge(&self, id: &InstanceId) -> Purge<'_, Q> {
        Purge::new(self, id.clone())
    }

    /// Removes every instance that has ended and that `filter` names, page by page.
    pub fn purge_all(&self, filter: Filter) -> PurgeAll<'_, Q> {
        PurgeAll::new(self, filter)
    }

    /// Returns what the client reads from.
    pub fn queries(&self) -> &Q {
        &self.queries
    }

    /// Returns how patient the client is.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Sends open work again that was lost on its way: `client.redispatch(Redispatch::default()).send().await`. Safe at
    /// any time.
    pub fn redispatch(&self, what: warren_model::Redispatch) -> Redispatch<'_, Q> {
        Redispatch::new(self, what)
    }

    /// Sends a command and returns what its owner answers.
    pub(crate) async fn ask(&self, mut envelope: Envelope, within: Duration) -> Result<ClientReply> {
        if let Some(to) = &mut envelope.answer_to {
            to.packs = self.options().packs;
        }
        check::command(&envelope.command, self.options().payload_bytes_max)?;
        let publication = self.codec().command(&envelope);
        self.request(publication, About::Instance(envelope.instance), envelope.id, within).await
    }

    /// Sends an order to a partition and returns what its owner answers.
    pub(crate) async fn order(
        &self,
        partition: Partition,
        order: &RedispatchOrder,
        within: Duration,
    ) -> Result<ClientReply> {
        let publication = self.codec().redispatch(partition, order);
        self.request(publication, About::Partition(partition), order.id.clone(), within).await
    }

    pub(crate) fn codec(&self) -> &Codec {
        &self.shared.codec
    }

    pub(crate) async fn request(
        &self,
        mut publication: Publication,
        about: About,
        message: MessageId,
        within: Duration,
    ) -> Result<ClientReply> {
        publication.packs &= self.options().packs;
        let (told, answer) = oneshot::channel();
        let since = Instant::now();
        let unsent_within = self.options().unsent_within.min(within);
        let request = Request { publication, about, message, since, within, unsent_within, told };
        match time::timeout(unsent_within, self.link.send(request)).await {
            Ok(Ok(())) => answer.await.unwrap_or_else(|_| Err(self.unavailable("the client's link has ended"))),
            Ok(Err(_)) => Err(self.unavailable("the client's link does not run")),
            Err(_) => Err(self.unavailable("too many commands are waiting for their answers")),
        }
    }

    fn unavailable(&self, why: &str) -> Error {
        Error::Unavailable { hub: self.codec().topology().hub().into(), why: why.into() }
    }
}

/// Returns a command whose answer comes back on the channel that it is sent on.
pub(crate) fn envelope(id: MessageId, instance: InstanceId, command: Command, when: AnswerWhen) -> Envelope {
    Envelope { id, instance, command, answer_to: Some(to_the_link()), when, is_fresh: false }
}

/// Returns where answers go: the link fills in both, the queue is the channel's, the correlation id its own.
pub(crate) fn to_the_link() -> AnswerTo {
    AnswerTo { reply_to: String::new(), correlation_id: None, stored: true, packs: true }
}

/// Returns an id that no other message has. It begins with the time, and so do the ids that are derived from it.
pub(crate) fn fresh_id() -> MessageId {
    MessageId::from_uuid(Uuid::now_v7())
}
