//! The receiving end: hands on messages that are whole.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::task::spawn_blocking;
use warren_broker::{
    Acker, Consumer, Delivery, Result,
    codec::claim::{claim, partition, put_back, spent},
};
use warren_store::Payloads;

use crate::{
    counter::Counter,
    held::Held,
    sweep::{Spent, sweeper},
};

/// Receives from one queue; what its messages refer to is fetched before they are handed on, in order.
pub struct ClaimingConsumer<C, P> {
    consumer: C,
    counter: Counter<P>,
    /// What the broker has handed over, from the first that must be looked at.
    waiting: VecDeque<Delivery>,
    /// The first of those on its way to be made whole. Kept here, so that whoever stops to wait loses nothing.
    fetching: Option<BoxFuture<'static, Delivery>>,
    held: Arc<Held>,
    /// Whether messages of this queue may refer to payloads: what other systems send may not.
    is_inner: bool,
    /// For a control queue: where to say what may be dropped.
    spent: Option<Spent>,
}

/// Acknowledges; with a message of a control queue goes its payload.
#[derive(Clone)]
pub struct ClaimingAcker<A> {
    acker: A,
    held: Arc<Held>,
    spent: Option<Spent>,
}

impl<C, P: Payloads> ClaimingConsumer<C, P> {
    pub(crate) fn new(consumer: C, queue: &str, counter: Counter<P>) -> Self {
        let topology = &counter.topology;
        let own = topology.partition_of_control(queue);
        let spent = own.map(|partition| sweeper(counter.payloads.clone(), partition));
        let is_inner = topology.is_inner_queue(queue);
        let (waiting, held) = (VecDeque::new(), Arc::new(Held::new()));
        Self { consumer, counter, waiting, fetching: None, held, is_inner, spent }
    }

    /// Takes what needs no fetching, at most `max`; stops before what does.
    fn take_whole(&mut self, max: usize) -> Vec<Delivery> {
        let mut whole = Vec::new();
        while whole.len() < max
            && let Some(delivery) = self.waiting.pop_front_if(|delivery| claim(&delivery.message).is_none())
        {
            self.note(&delivery, 0, Vec::new());
            whole.push(delivery);
        }
        whole
    }

    /// Notes what becomes of payloads once the delivery is acknowledged.
    fn note(&self, delivery: &Delivery, bytes: u64, mut gone: Vec<uuid::Uuid>) {
        gone.extend(spent(&delivery.message));
        if bytes > 0 || !gone.is_empty() {
            self.held.add(delivery.tag, bytes, gone);
        }
    }

    /// Makes the first that waits whole, if its payload is there.
    async fn fetch(&mut self) -> Option<Delivery> {
        let delivery = self.waiting.front()?;
        let claim = claim(&delivery.message)?;
        let Some(place) = partition(&self.counter.topology, delivery).filter(|_| self.is_inner) else {
            return self.waiting.pop_front();
        };
        self.held.room(claim.bytes).await;
        let counter = self.counter.clone();
        let fetching = self.fetching.get_or_insert_with(|| {
            let mut delivery = delivery.clone();
            async move {
                let Some(body) = counter.fetch(place, claim.id).await else {
                    tracing::error!(payload = %claim.id, partition = %place, "payload is not in the store");
                    return delivery;
                };
                let apart = delivery.clone();
                // To put it together takes as long as it is large.
                let whole = spawn_blocking(move || {
                    put_back(&counter.topology, &mut delivery, body);
                    delivery
                });
                whole.await.unwrap_or_else(|error| {
                    tracing::error!(%error, payload = %claim.id, "message can't be put together");
                    apart
                })
            }
            .boxed()
        });
        let whole = fetching.await;
        self.fetching = None;
        self.waiting.pop_front();
        self.note(&whole, claim.bytes, vec![claim.id]);
        Some(whole)
    }
}

impl<C: Consumer, P: Payloads> Consumer for ClaimingConsumer<C, P> {
    type Acker = ClaimingAcker<C::Acker>;

    async fn next(&mut self, max: usize) -> Option<Vec<Delivery>> {
        loop {
            let whole = self.take_whole(max);
            if !whole.is_empty() {
                return Some(whole);
            }
            if let Some(delivery) = self.fetch().await {
                return Some(vec![delivery]);
            }
            self.waiting.extend(self.consumer.next(max).await?);
        }
    }

    fn acker(&self) -> Self::Acker {
        ClaimingAcker { acker: self.consumer.acker(), held: self.held.clone(), spent: self.spent.clone() }
    }

    async fn restart(&mut self) -> Result<()> {
        self.consumer.restart().await
    }

    fn is_open(&self) -> bool {
        self.consumer.is_open()
    }
}

impl<A: Acker> Acker for ClaimingAcker<A> {
    async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        let acked = self.acker.ack(tag, multiple).await;
        let gone = self.held.release(tag, multiple);
        if let (Ok(()), Some(spent)) = (&acked, &self.spent) {
            // If the sweeper is gone, so is its runtime.
            for id in gone {
                let _ = spent.send(id);
            }
        }
        acked
    }

    async fn requeue(&self, tag: u64) -> Result<()> {
        self.held.release(tag, false);
        self.acker.requeue(tag).await
    }

    async fn cancel(&self) -> Result<()> {
        self.acker.cancel().await
    }
}
