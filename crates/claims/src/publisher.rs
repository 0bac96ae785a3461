//! The sending end: keeps what is large, then publishes.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use warren_broker::{
    Delivery, Parcel, Publication, Published, Publisher, Requester, Topology, codec::claim::check_out,
};
use warren_store::{PayloadRow, Payloads};

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

/// Where payloads are handed in.
#[derive(Clone, Debug)]
struct Counter<P> {
    payloads: P,
    topology: Arc<Topology>,
}

impl<T, P> ClaimingPublisher<T, P> {
    pub(crate) fn new(publisher: T, payloads: P, topology: Arc<Topology>) -> Self {
        Self { publisher, counter: Counter { payloads, topology } }
    }
}

impl<T, P> ClaimingRequester<T, P> {
    pub(crate) fn new(requester: T, payloads: P, topology: Arc<Topology>) -> Self {
        Self { requester, counter: Counter { payloads, topology } }
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

impl<P: Payloads> Counter<P> {
    fn may_be_large(&self, publication: &Publication) -> bool {
        publication.message.body.len() > self.topology.bodies().inline_bytes_max
    }

    /// Returns what is to be published, its payload kept if it is large; or that it can't be, as a broker would say it
    /// of what it does not take at the moment.
    async fn hand_in(&self, publication: Publication) -> Result<Publication, Published> {
        if !self.may_be_large(&publication) {
            return Ok(publication);
        }
        let topology = self.topology.clone();
        // To take it apart takes as long as it is large.
        let apart = spawn_blocking(move || (check_out(&topology, &publication), publication)).await;
        let (rest, parcel) = match apart {
            Ok((Some(apart), _)) => apart,
            Ok((None, whole)) => return Ok(whole),
            Err(error) => return Err(Published::Refused(format!("its payload can't be taken apart: {error}"))),
        };
        let Parcel { partition, id, instance, execution, body } = parcel;
        match self.payloads.keep_payload(PayloadRow { partition, id, instance, execution, body }).await {
            Ok(()) => Ok(rest),
            Err(error) => Err(Published::Refused(format!("its payload can't be kept: {error}"))),
        }
    }
}
