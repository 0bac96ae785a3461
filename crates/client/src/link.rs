//! The task that owns the client's channel.

use std::{pin::pin, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    select,
    sync::mpsc,
    time::{self, Instant},
};
use warren_broker::{Broker, Delivery, Health, Publication, Published, Requester, decode_client_reply};

use crate::{
    pace,
    requests::{Request, Requests, Way},
};

/// How many requests are open at most; more wait in their callers. Bounds memory: each holds its payload.
const OPEN_MAX: usize = 10_000;

/// How long it may take to learn what became of the last messages of a channel that is lost.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Carries a client's commands to the broker and the answers back, until every [`Client`](crate::Client) is dropped.
#[derive(Debug)]
#[must_use = "a client without its running link gets no answers"]
pub struct Link<B> {
    broker: B,
    incoming: mpsc::Receiver<Request>,
    requests: Requests,
}

impl<B: Broker> Link<B> {
    pub(crate) fn new(broker: B, hub: String, incoming: mpsc::Receiver<Request>) -> Self {
        Self { broker, incoming, requests: Requests::new(hub) }
    }

    /// Connects, sends and receives, and connects again; returns when every client is dropped.
    pub async fn run(mut self) {
        while let Some(requester) = self.connect().await {
            self.requests.resend(Instant::now());
            if let Served::Closed = self.serve(&requester).await {
                return;
            }
            tracing::warn!("lost the channel to the broker, connecting again");
        }
    }

    /// Opens a channel, however long that takes; `None` if every client is dropped before.
    async fn connect(&mut self) -> Option<B::Requester> {
        let broker = self.broker.clone();
        let mut connecting = pin!(connect(&broker));
        loop {
            let why = match broker.health() {
                Health::Down(why) | Health::Blocked(why) => why,
                Health::Up | Health::Refusing(_) => "opening a channel".into(),
            };
            self.requests.tick(Instant::now(), Way::Shut(&why));
            select! {
                requester = &mut connecting => return Some(requester),
                request = self.incoming.recv(), if self.requests.len() < OPEN_MAX => {
                    self.requests.add(request?, Instant::now());
                }
                () = until(self.requests.alarm()) => {}
            }
        }
    }

    /// Sends and receives until the channel is lost or every client is dropped.
    async fn serve(&mut self, requester: &B::Requester) -> Served {
        let mut sending = FuturesUnordered::new();
        let mut next = pin!(requester.next());
        loop {
            for (id, publication) in self.due() {
                sending.push(send(requester, id, publication));
            }
            select! {
                request = self.incoming.recv(), if self.requests.len() < OPEN_MAX => match request {
                    Some(request) => self.requests.add(request, Instant::now()),
                    None => return Served::Closed,
                },
                Some((id, published)) = sending.next() => self.requests.published(id, published, Instant::now()),
                delivery = &mut next => match delivery {
                    Some(delivery) => {
                        next.set(requester.next());
                        self.receive(&delivery);
                    }
                    None => break,
                },
                () = until(self.requests.alarm()) => {}
            }
        }
        // What is known to have been refused need not be taken for what may have arrived.
        let known = async {
            while let Some((id, published)) = sending.next().await {
                self.requests.published(id, published, Instant::now());
            }
        };
        let _ = time::timeout(LAST_WORDS, known).await;
        Served::Lost
    }

    fn due(&mut self) -> Vec<(u64, Publication)> {
        let now = Instant::now();
        match self.broker.health() {
            // A message to a broker with an alarm would wait for its confirm, and may be carried out much later.
            Health::Blocked(why) => self.requests.tick(now, Way::Shut(&why)),
            Health::Up | Health::Refusing(_) | Health::Down(_) => self.requests.tick(now, Way::Open),
        }
    }

    fn receive(&mut self, delivery: &Delivery) {
        match decode_client_reply(delivery) {
            Ok((Some(id), reply)) => self.requests.answered(&id, Ok(reply)),
            Ok((None, _)) => tracing::warn!("dropped an answer without a correlation id"),
            Err(malformed) => match &delivery.message.correlation_id {
                Some(id) => self.requests.answered(id, Err(malformed.reason)),
                None => tracing::warn!(why = malformed.reason, "dropped an answer that makes no sense"),
            },
        }
    }
}

/// Why a channel is served no longer.
enum Served {
    /// The channel is lost.
    Lost,
    /// Every client is dropped.
    Closed,
}

async fn send(requester: &impl Requester, id: u64, publication: Publication) -> (u64, Published) {
    (id, requester.send(publication).await)
}

async fn connect<B: Broker>(broker: &B) -> B::Requester {
    let mut attempt = 0;
    loop {
        match broker.requester().await {
            Ok(requester) => return requester,
            Err(error) => {
                attempt += 1;
                tracing::warn!(%error, attempt, "failed to open a channel for commands");
                time::sleep(pace::connect(attempt, attempt.into())).await;
            }
        }
    }
}

/// Waits until then; for ever if there is no then.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "link_test.rs"]
mod test;
