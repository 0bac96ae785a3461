//! A backend under test, and what the cases do with any of them.

use std::time::Duration;

use crate::{Address, Broker, Consumer, Delivery, Message, Publication, Published, Publisher, QueueSpec, Topology};

/// How long anything may take before a case fails. Nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker with a hub of its own.
pub(crate) trait Backend: Sized + Sync {
    /// The broker's type.
    type Broker: Broker;

    /// Returns the broker.
    fn broker(&self) -> &Self::Broker;

    /// Returns the hub's topology.
    fn topology(&self) -> &Topology;

    /// Deletes a queue behind the broker's back.
    async fn delete(&self, queue: &str);

    /// Returns how many messages of a queue nobody holds.
    async fn ready(&self, queue: &str) -> usize;

    /// Leaves nothing behind.
    async fn close(self);

    /// Returns a work-item queue that exists.
    async fn queue(&self) -> QueueSpec {
        let queue = self.topology().work("charge").unwrap();
        self.broker().declare(&queue).await.unwrap();
        queue
    }

    /// Publishes messages with these bodies, which all must be confirmed.
    async fn send(&self, queue: &QueueSpec, bodies: &[&str]) {
        let batch = bodies.iter().map(|body| to(&queue.name, body)).collect();
        let published = within(self.broker().publisher().await.unwrap().publish(batch)).await;
        assert_eq!(published, vec![Published::Confirmed; bodies.len()]);
    }

    /// Opens a consumer.
    async fn consume(&self, queue: &QueueSpec, prefetch: u16) -> <Self::Broker as Broker>::Consumer {
        within(self.broker().consume(&queue.name, prefetch)).await.unwrap()
    }

    /// Waits until this many messages of the queue are ready.
    async fn until_ready(&self, queue: &QueueSpec, count: usize) {
        within(async {
            while self.ready(&queue.name).await != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should not take this long")
}

/// Returns a mandatory message to a queue.
pub(crate) fn to(queue: &str, body: &str) -> Publication {
    let message = Message { body: body.to_owned().into(), ..Message::default() };
    Publication { to: Address::Queue(queue.into()), mandatory: true, packs: false, message }
}

/// Takes exactly this many deliveries.
pub(crate) async fn take(consumer: &mut impl Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = within(consumer.next(count - taken.len())).await.expect("the consumer should not end yet");
        assert!(!more.is_empty() && more.len() <= count - taken.len());
        taken.extend(more);
    }
    taken
}

/// Returns the bodies of deliveries as text.
pub(crate) fn bodies(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| std::str::from_utf8(&delivery.message.body).unwrap()).collect()
}
