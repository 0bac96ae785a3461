//! Many messages.

use std::collections::BTreeSet;

use futures_util::future::join;

use super::{
    Backend,
    backend::{to, within},
};
use crate::{Acker, Broker, Consumer, Published, Publisher};

const COUNT: usize = 10_000;
const BATCH: usize = 500;

pub(crate) async fn ten_thousand_messages_arrive_once_each(backend: &impl Backend) {
    let queue = backend.queue().await;
    let publisher = backend.broker().publisher().await.unwrap();
    let mut consumer = backend.consume(&queue, 1000).await;
    let send = async {
        for begin in (0..COUNT).step_by(BATCH) {
            let batch = (begin..begin + BATCH).map(|n| to(&queue.name, &n.to_string())).collect();
            assert_eq!(publisher.publish(batch).await, vec![Published::Confirmed; BATCH]);
        }
    };
    let receive = async {
        let (acker, mut seen) = (consumer.acker(), BTreeSet::new());
        while seen.len() < COUNT {
            let batch = consumer.next(BATCH).await.expect("the consumer should not end");
            for delivery in &batch {
                let number: usize = std::str::from_utf8(&delivery.message.body).unwrap().parse().unwrap();
                assert!(seen.insert(number), "message {number} came twice");
            }
            acker.ack(batch.last().unwrap().tag, true).await.unwrap();
        }
        seen
    };
    let ((), seen) = within(join(send, receive)).await;
    assert_eq!(seen.last(), Some(&(COUNT - 1)));
    drop(consumer);
    // Nothing was left unacknowledged, or it would be ready again.
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
}
