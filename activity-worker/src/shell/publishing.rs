//! Publications on their way: any number of batches at once, none waits for another's confirms.

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use warren_broker::{Broker, Publication, Published, Publisher};

use crate::worker::ItemId;

/// Publications on their way. The loop bounds their number: each belongs to an item that it holds.
pub(super) struct Publishing<B: Broker> {
    broker: B,
    publisher: Option<B::Publisher>,
    flights: FuturesUnordered<BoxFuture<'static, Landed<B::Publisher>>>,
}

struct Landed<P> {
    /// `None`: its channel is gone.
    publisher: Option<P>,
    fates: Vec<(ItemId, Published)>,
}

impl<B: Broker> Publishing<B> {
    pub(super) fn new(broker: B) -> Self {
        Self { broker, publisher: None, flights: FuturesUnordered::new() }
    }

    /// Sends a batch off; [`next`](Self::next) says what became of it.
    pub(super) fn send(&mut self, batch: Vec<(ItemId, Publication)>) {
        if !batch.is_empty() {
            self.flights.push(fly(self.broker.clone(), self.publisher.clone(), batch).boxed());
        }
    }

    /// Waits until it is known what became of a batch, and takes what is known of others: a pack decides several at once,
    /// and their acknowledgements are few if they go together. Pending for ever while none is on its way. Safe to cancel.
    pub(super) async fn next(&mut self) -> Vec<(ItemId, Published)> {
        let Some(landed) = self.flights.next().await else { return std::future::pending().await };
        self.publisher = landed.publisher;
        let mut fates = landed.fates;
        while let Some(Some(landed)) = self.flights.next().now_or_never() {
            self.publisher = landed.publisher;
            fates.extend(landed.fates);
        }
        fates
    }
}

/// Publishes a batch, on a new channel if there is none.
async fn fly<B: Broker>(
    broker: B,
    publisher: Option<B::Publisher>,
    batch: Vec<(ItemId, Publication)>,
) -> Landed<B::Publisher> {
    let (items, publications): (Vec<ItemId>, Vec<Publication>) = batch.into_iter().unzip();
    let opened = match publisher {
        Some(publisher) => Ok(publisher),
        None => broker.publisher().await,
    };
    let publisher = match opened {
        Ok(publisher) => publisher,
        Err(error) => {
            let fates = items.into_iter().map(|item| (item, Published::Lost(error.to_string()))).collect();
            return Landed { publisher: None, fates };
        }
    };
    let fates = publisher.publish(publications).await;
    let is_lost = fates.iter().any(|fate| matches!(fate, Published::Lost(_)));
    Landed { publisher: (!is_lost).then_some(publisher), fates: items.into_iter().zip(fates).collect() }
}

#[cfg(test)]
#[path = "packing_test.rs"]
mod test;
