//! Queues of the hub that were missing when a reply came to them: made while the loop goes on.

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use warren_broker::{Broker, Error, QueueSpec};

/// Declarations on their way, at most one per queue.
pub(super) struct Declaring<B: Broker> {
    broker: B,
    names: Vec<String>,
    flights: FuturesUnordered<BoxFuture<'static, (String, Result<(), Error>)>>,
}

impl<B: Broker> Declaring<B> {
    pub(super) fn new(broker: B) -> Self {
        Self { broker, names: Vec::new(), flights: FuturesUnordered::new() }
    }

    pub(super) fn start(&mut self, queue: QueueSpec) {
        if self.names.contains(&queue.name) {
            return;
        }
        self.names.push(queue.name.clone());
        let broker = self.broker.clone();
        self.flights.push(async move { (queue.name.clone(), broker.declare(&queue).await) }.boxed());
    }

    /// Waits for a declaration to end. Pending for ever while there is none. Safe to cancel.
    ///
    /// One that fails is no trouble of its own: the reply is tried again, and another time so is this.
    pub(super) async fn next(&mut self) {
        let Some((name, ended)) = self.flights.next().await else { return std::future::pending().await };
        self.names.retain(|known| *known != name);
        match ended {
            Ok(()) => tracing::info!(queue = name, "missing queue is declared"),
            Err(error) => tracing::warn!(queue = name, %error, "missing queue can't be declared"),
        }
    }
}
