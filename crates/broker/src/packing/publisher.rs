//! The sending end: a task that owns the lanes of one channel.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{
    StreamExt,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{Departure, Lanes, pace::SharedPace};
use crate::{Delivery, Publication, Published, Publisher, Requester, codec::pack};

/// Batches that wait for their turn; whoever publishes more waits.
const BATCHES_MAX: usize = 64;

/// Publishes, in packs what may be. Cheap to clone; clones share the channel, and packs.
#[derive(Clone, Debug)]
pub struct PackingPublisher(mpsc::Sender<Job>);

/// Sends requests, in packs what may be, and takes the answers out of theirs.
#[derive(Debug)]
pub struct PackingRequester<R> {
    requester: Arc<R>,
    requests: PackingPublisher,
    /// Answers that came in a pack with one that was handed on.
    answers: Mutex<VecDeque<Delivery>>,
}

/// A batch, and where its results go.
#[derive(Debug)]
struct Job {
    batch: Vec<Publication>,
    reply: Reply,
}

type Reply = oneshot::Sender<Vec<Published>>;

/// What publishes in the end.
trait Carrier: Clone + Send + 'static {
    fn carry(self, messages: Vec<Publication>) -> BoxFuture<'static, Vec<Published>>;
}

impl PackingPublisher {
    pub(super) fn new(publisher: impl Publisher, pace: SharedPace) -> Self {
        Self::start(Channel(publisher), pace)
    }

    fn start(carrier: impl Carrier, pace: SharedPace) -> Self {
        let (jobs, incoming) = mpsc::channel(BATCHES_MAX);
        tokio::spawn(run(carrier, incoming, pace));
        Self(jobs)
    }
}

impl Publisher for PackingPublisher {
    async fn publish(&self, batch: Vec<Publication>) -> Vec<Published> {
        let count = batch.len();
        if count == 0 {
            return Vec::new();
        }
        let (reply, results) = oneshot::channel();
        // If the task is gone, so is its runtime.
        let lost = || vec![Published::Lost("the publisher has ended".into()); count];
        if self.0.send(Job { batch, reply }).await.is_err() {
            return lost();
        }
        results.await.unwrap_or_else(|_| lost())
    }
}

/// Gathers what has come, lets depart what may, and tells the callers, until the last of them is gone and all is known.
async fn run(carrier: impl Carrier, mut incoming: mpsc::Receiver<Job>, pace: SharedPace) {
    let mut lanes = Lanes::<Reply>::default();
    let mut flights: FuturesUnordered<BoxFuture<'static, (u64, Vec<Published>)>> = FuturesUnordered::new();
    let (mut jobs, mut has_callers) = (Vec::new(), true);
    while has_callers || !flights.is_empty() {
        tokio::select! {
            biased;
            Some((id, results)) = flights.next() => {
                for (reply, results) in lanes.landed(id, &results) {
                    // A caller that went away does not want to know.
                    let _ = reply.send(results);
                }
            }
            count = incoming.recv_many(&mut jobs, BATCHES_MAX), if has_callers => has_callers = count > 0,
        }
        for Job { batch, reply } in jobs.drain(..) {
            lanes.add(reply, batch);
        }
        while let Some(Departure { id, messages }) = lanes.depart(&mut pace.lock()) {
            let carrying = carrier.clone().carry(messages);
            flights.push(Box::pin(async move { (id, carrying.await) }));
        }
    }
}

/// A publisher's channel.
#[derive(Clone)]
struct Channel<P>(P);

impl<P: Publisher> Carrier for Channel<P> {
    fn carry(self, messages: Vec<Publication>) -> BoxFuture<'static, Vec<Published>> {
        Box::pin(async move { self.0.publish(messages).await })
    }
}

impl<R: Requester> PackingRequester<R> {
    pub(super) fn new(requester: R, pace: SharedPace) -> Self {
        let requester = Arc::new(requester);
        let requests = PackingPublisher::start(Asking(requester.clone()), pace);
        Self { requester, requests, answers: Mutex::default() }
    }
}

impl<R: Requester> Requester for PackingRequester<R> {
    async fn send(&self, request: Publication) -> Published {
        let published = self.requests.publish(vec![request]).await;
        published.into_iter().next().expect("one publication has one result")
    }

    async fn next(&self) -> Option<Delivery> {
        let mut answers = self.answers.lock().await;
        loop {
            if let Some(answer) = answers.pop_front() {
                return Some(answer);
            }
            let Delivery { tag, redelivered, routing_key, message } = self.requester.next().await?;
            let whole = |message| Delivery { tag, redelivered, routing_key: routing_key.clone(), message };
            answers.extend(pack::unpack(message).into_iter().map(whole));
        }
    }
}

/// A requester's channel.
struct Asking<R>(Arc<R>);

impl<R> Clone for Asking<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Requester> Carrier for Asking<R> {
    fn carry(self, messages: Vec<Publication>) -> BoxFuture<'static, Vec<Published>> {
        Box::pin(async move { join_all(messages.into_iter().map(|message| self.0.send(message))).await })
    }
}
