//! What only the twin has: its faults. All else is in the conformance suite.

use futures_util::{FutureExt, future::join};

use super::*;
use crate::{Acker, Address, Consumer, Publication, Published, Publisher, Requester};

async fn broker() -> (Memory, QueueSpec) {
    let broker = Memory::new(Topology::new("h").unwrap());
    let queue = Topology::new("h").unwrap().work("charge").unwrap();
    broker.declare(&queue).await.unwrap();
    (broker, queue)
}

fn to(queue: &str) -> Publication {
    Publication { to: Address::Queue(queue.into()), mandatory: true, packs: false, message: Message::default() }
}

#[tokio::test]
async fn a_broken_consumer_ends_and_what_it_held_is_ready_again() {
    let (broker, queue) = broker().await;
    let publisher = broker.publisher().await.unwrap();
    publisher.publish(vec![to(&queue.name); 3]).await;
    let mut consumer = broker.consume(&queue.name, 10).await.unwrap();
    assert_eq!(consumer.next(2).await.unwrap().len(), 2);
    assert_eq!(broker.unacknowledged(&queue.name), 3);
    broker.break_consumers(&queue.name);
    assert_eq!(consumer.next(2).await, None);
    consumer.acker().ack(1, false).await.unwrap();
    assert_eq!((broker.ready(&queue.name).len(), broker.unacknowledged(&queue.name)), (3, 0));
}

#[tokio::test]
async fn broken_connections_lose_what_old_publishers_send() {
    let (broker, queue) = broker().await;
    let (old, requester) = (broker.publisher().await.unwrap(), broker.requester().await.unwrap());
    broker.break_connections();
    assert!(matches!(&old.publish(vec![to(&queue.name)]).await[..], [Published::Lost(_)]));
    assert_eq!(requester.next().await, None);
    assert_eq!(broker.ready(&queue.name).len(), 0);
    assert_eq!(broker.publisher().await.unwrap().publish(vec![to(&queue.name)]).await, [Published::Confirmed]);
}

#[tokio::test]
async fn a_broker_that_is_down_refuses_all_and_keeps_its_queues() {
    let (broker, queue) = broker().await;
    broker.publisher().await.unwrap().publish(vec![to(&queue.name)]).await;
    broker.set_down(Some("gone fishing"));
    assert_eq!(broker.health(), Health::Down("gone fishing".into()));
    assert!(broker.consume(&queue.name, 1).await.is_err());
    assert!(broker.declare(&queue).await.is_err());
    assert!(broker.publisher().await.is_err());
    assert!(broker.requester().await.is_err());
    broker.set_down(None);
    assert_eq!(broker.health(), Health::Up);
    assert_eq!(broker.ready(&queue.name).len(), 1);
}

#[tokio::test]
async fn a_blocked_broker_lets_publishers_wait() {
    let (broker, queue) = broker().await;
    let publisher = broker.publisher().await.unwrap();
    broker.set_blocked(Some("low on memory"));
    assert_eq!(broker.health(), Health::Blocked("low on memory".into()));
    let mut publishing = Box::pin(publisher.publish(vec![to(&queue.name)]));
    assert_eq!((&mut publishing).now_or_never(), None);
    let (published, ()) = join(publishing, async { broker.set_blocked(None) }).await;
    assert_eq!(published, [Published::Confirmed]);
}

#[tokio::test]
async fn refused_publications_do_not_arrive_and_lost_confirms_do() {
    let (broker, queue) = broker().await;
    let publisher = broker.publisher().await.unwrap();
    broker.set_refusing(Some("the queue is full"));
    assert_eq!(publisher.publish(vec![to(&queue.name)]).await, [Published::Refused("the queue is full".into())]);
    assert_eq!(broker.ready(&queue.name).len(), 0);
    broker.set_refusing(None);
    broker.set_losing_confirms(true);
    assert!(matches!(&publisher.publish(vec![to(&queue.name)]).await[..], [Published::Lost(_)]));
    assert_eq!(broker.ready(&queue.name).len(), 1);
}
