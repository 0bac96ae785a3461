//! Which queues have an open channel, and its acknowledgements.

use warren_broker::{Acker, Broker, QueueSpec};

use super::consumers::AckerOf;
use crate::worker::QueueId;

/// The channels of all queues, as far as the loop has heard.
pub(super) struct Channels<B: Broker>(Vec<Channel<B>>);

struct Channel<B: Broker> {
    queue: String,
    /// Kept after a loss: what is then acknowledged comes to nothing.
    acker: Option<AckerOf<B>>,
    /// Why nothing is consumed at the moment, though it should.
    closed: Option<String>,
}

impl<B: Broker> Channels<B> {
    pub(super) fn new(queues: &[QueueSpec]) -> Self {
        let closed =
            |spec: &QueueSpec| Channel { queue: spec.name.clone(), acker: None, closed: Some("starting".into()) };
        Self(queues.iter().map(closed).collect())
    }

    pub(super) fn opened(&mut self, QueueId(at): QueueId, acker: AckerOf<B>) {
        self.0[at].acker = Some(acker);
        self.0[at].closed = None;
    }

    /// Notes that a queue is not to be consumed for now.
    pub(super) fn paused(&mut self, QueueId(at): QueueId) {
        self.0[at].closed = None;
    }

    pub(super) fn closed(&mut self, QueueId(at): QueueId, why: String) {
        self.0[at].closed = Some(why);
    }

    /// Returns the first queue from which nothing is consumed though it should, and why.
    pub(super) fn unconsumed(&self) -> Option<String> {
        let why = |channel: &Channel<B>| channel.closed.as_ref().map(|why| format!("{}: {why}", channel.queue));
        self.0.iter().find_map(why)
    }

    // An acknowledgement that fails needs no treatment: its channel is lost, and the loop hears of that by itself.

    pub(super) async fn ack(&self, QueueId(at): QueueId, tag: u64, multiple: bool) {
        if let Some(acker) = &self.0[at].acker {
            let _ = acker.ack(tag, multiple).await;
        }
    }

    pub(super) async fn requeue(&self, QueueId(at): QueueId, tag: u64) {
        if let Some(acker) = &self.0[at].acker {
            let _ = acker.requeue(tag).await;
        }
    }

    pub(super) async fn cancel(&self, QueueId(at): QueueId) {
        if let Some(acker) = &self.0[at].acker {
            let _ = acker.cancel().await;
        }
    }
}
