//! The sending end: keeps what is large, then publishes.

use warren_broker::{Delivery, Publication, Published, Publisher, Requester};
use warren_store::Payloads;

use crate::counter::Counter;

/// Publishes; large payloads go to the payload store first.
#[derive(Clone, Debug)]
pub struct ClaimingPublisher<T, P> {
    publisher: T,
    counter: Counter<P>,
}

/// Sends requests; large payloads go to the payload store first. Answers are small.
#[derive(Debug)]
pub struct ClaimingRequester<T, P> {
    requester: T,
    counter: Counter<P>,
}

impl<T, P> ClaimingPublisher<T, P> {
    pub(crate) fn new(publisher: T, counter: Counter<P>) -> Self {
        Self { publisher, counter }
    }
}

impl<T, P> ClaimingRequester<T, P> {
    pub(crate) fn new(requester: T, counter: Counter<P>) -> Self {
        Self { requester, counter }
    }
}

impl<T: Publisher, P: Payloads> Publisher for ClaimingPublisher<T, P> {
    async fn publish(&self, batch: Vec<Publication>) -> Vec<Published> {
        if !batch.iter().any(|publication| self.counter.may_be_large(publication)) {
            return self.publisher.publish(batch).await;
        }
        let (mut ready, mut fates) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for publication in batch {
            let kept = self.counter.hand_in(publication).await;
            fates.push(kept.map(|publication| ready.push(publication)));
        }
        let mut published = self.publisher.publish(ready).await.into_iter();
        let lost = || Published::Lost("the publisher did not say what became of it".into());
        let fate = |kept: Result<(), Published>| match kept {
            Ok(()) => published.next().unwrap_or_else(lost),
            Err(fate) => fate,
        };
        fates.into_iter().map(fate).collect()
    }
}

impl<T: Requester, P: Payloads> Requester for ClaimingRequester<T, P> {
    async fn send(&self, request: Publication) -> Published {
        match self.counter.hand_in(request).await {
            Ok(request) => self.requester.send(request).await,
            Err(fate) => fate,
        }
    }

    async fn next(&self) -> Option<Delivery> {
        self.requester.next().await
    }
}
