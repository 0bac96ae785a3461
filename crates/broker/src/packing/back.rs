//! Publishes work items again that nobody here will begin soon.

use std::time::Duration;

use tokio::{sync::Mutex, time::timeout};

use crate::{Broker, Delivery, Error, Publication, Published, Publisher, Result, codec::given_back};

/// How long the broker may take to confirm. A worker that drains waits for it, and then lets the pack come again instead.
const CONFIRM: Duration = Duration::from_secs(5);

/// The way back to a queue.
pub(super) struct Back<B: Broker> {
    broker: B,
    /// Opened when it is first needed: most workers never do.
    publisher: Mutex<Option<B::Publisher>>,
}

impl<B: Broker> Back<B> {
    pub(super) fn new(broker: B) -> Self {
        Self { broker, publisher: Mutex::default() }
    }

    /// Publishes each by itself, and returns what became of it.
    pub(super) async fn publish(&self, items: &[Delivery]) -> Vec<Published> {
        let batch: Vec<Publication> = items.iter().cloned().map(given_back).collect();
        let publishing = async { Ok::<_, Error>(self.publisher().await?.publish(batch).await) };
        let lost = |why: String| vec![Published::Lost(why); items.len()];
        let fates = match timeout(CONFIRM, publishing).await {
            Ok(Ok(fates)) => fates,
            Ok(Err(error)) => lost(error.to_string()),
            Err(_) => lost("no confirm came in time".into()),
        };
        if fates.iter().any(|fate| matches!(fate, Published::Lost(_))) {
            *self.publisher.lock().await = None;
        }
        fates
    }

    async fn publisher(&self) -> Result<B::Publisher> {
        let mut present = self.publisher.lock().await;
        if let Some(publisher) = present.as_ref() {
            return Ok(publisher.clone());
        }
        let publisher = self.broker.publisher().await?;
        *present = Some(publisher.clone());
        Ok(publisher)
    }
}
