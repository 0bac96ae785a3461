//! Consuming: what one consumer holds, gives back, and leaves to the next.

use super::{
    Backend,
    backend::{bodies, take, to, within},
};
use crate::{Acker, Broker, Consumer, Delivery, Published, Publisher};

fn redelivered(deliveries: &[Delivery]) -> Vec<bool> {
    deliveries.iter().map(|delivery| delivery.redelivered).collect()
}

pub(crate) async fn prefetch_bounds_what_one_consumer_holds(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2", "3", "4", "5"]).await;
    let mut first = backend.consume(&queue, 2).await;
    assert_eq!(bodies(&take(&mut first, 2).await), ["1", "2"]);
    // Had the first one been given more, the second would not see it.
    let mut second = backend.consume(&queue, 10).await;
    assert_eq!(bodies(&take(&mut second, 3).await), ["3", "4", "5"]);
    drop(second);
    backend.until_ready(&queue, 3).await;
    first.acker().ack(1, false).await.unwrap();
    assert_eq!(bodies(&take(&mut first, 1).await), ["3"]);
    assert_eq!(backend.ready(&queue.name).await, 2);
}

pub(crate) async fn a_multiple_ack_reaches_to_its_tag_only(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2", "3", "4", "5"]).await;
    let mut consumer = backend.consume(&queue, 10).await;
    take(&mut consumer, 5).await;
    consumer.acker().ack(5, false).await.unwrap();
    consumer.acker().ack(3, true).await.unwrap();
    drop(consumer);
    backend.until_ready(&queue, 1).await;
    assert_eq!(bodies(&take(&mut backend.consume(&queue, 10).await, 1).await), ["4"]);
}

pub(crate) async fn h1_what_a_lost_consumer_held_comes_again_in_order_and_first(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2", "3", "4", "5"]).await;
    let mut lost = backend.consume(&queue, 3).await;
    // Only one was taken; the other two are on their way and count as held.
    assert_eq!(bodies(&take(&mut lost, 1).await), ["1"]);
    let acker = lost.acker();
    backend.until_ready(&queue, 2).await;
    drop(lost);
    backend.until_ready(&queue, 5).await;
    acker.ack(3, true).await.unwrap();
    acker.requeue(1).await.unwrap();
    acker.cancel().await.unwrap();
    let taken = take(&mut backend.consume(&queue, 10).await, 5).await;
    assert_eq!(bodies(&taken), ["1", "2", "3", "4", "5"]);
    assert_eq!(redelivered(&taken), [true, true, true, false, false]);
    assert_eq!(taken[0].tag, 1);
}

pub(crate) async fn one_delivery_can_be_given_back(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2"]).await;
    let mut consumer = backend.consume(&queue, 2).await;
    take(&mut consumer, 2).await;
    consumer.acker().requeue(2).await.unwrap();
    let again = take(&mut consumer, 1).await;
    assert_eq!((bodies(&again), again[0].redelivered, again[0].tag), (vec!["2"], true, 3));
}

pub(crate) async fn a_cancelled_consumer_drains_and_acks(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2", "3"]).await;
    let mut consumer = backend.consume(&queue, 10).await;
    backend.until_ready(&queue, 0).await;
    let acker = consumer.acker();
    within(acker.cancel()).await.unwrap();
    backend.send(&queue, &["4"]).await;
    assert_eq!(bodies(&take(&mut consumer, 3).await), ["1", "2", "3"]);
    assert_eq!(within(consumer.next(1)).await, None);
    assert_eq!(within(consumer.next(1)).await, None);
    acker.ack(2, true).await.unwrap();
    drop(consumer);
    backend.until_ready(&queue, 2).await;
    assert_eq!(bodies(&take(&mut backend.consume(&queue, 10).await, 2).await), ["3", "4"]);
}

pub(crate) async fn a_cancelled_consumer_consumes_again_and_keeps_what_it_holds(backend: &impl Backend) {
    let queue = backend.queue().await;
    backend.send(&queue, &["1", "2"]).await;
    let mut consumer = backend.consume(&queue, 10).await;
    assert_eq!(bodies(&take(&mut consumer, 2).await), ["1", "2"]);
    for (at, bodies_then) in [(3, ["3", "4"]), (5, ["5", "6"])] {
        within(consumer.acker().cancel()).await.unwrap();
        assert_eq!(within(consumer.next(1)).await, None);
        // A drain cancels whatever is paused already.
        within(consumer.acker().cancel()).await.unwrap();
        backend.send(&queue, &bodies_then).await;
        backend.until_ready(&queue, 2).await;
        assert!(consumer.is_open());
        within(consumer.restart()).await.unwrap();
        let taken = take(&mut consumer, 2).await;
        assert_eq!((bodies(&taken), redelivered(&taken)), (bodies_then.to_vec(), vec![false, false]));
        assert_eq!(taken[0].tag, at);
    }
    consumer.acker().ack(6, true).await.unwrap();
    drop(consumer);
    backend.send(&queue, &["last"]).await;
    backend.until_ready(&queue, 1).await;
    assert_eq!(bodies(&take(&mut backend.consume(&queue, 10).await, 1).await), ["last"]);
}

pub(crate) async fn h2_the_ingress_has_one_active_consumer(backend: &impl Backend) {
    let queue = backend.topology().ingress_queue();
    backend.broker().declare(&queue).await.unwrap();
    let mut active = backend.consume(&queue, 10).await;
    let mut waiting = backend.consume(&queue, 10).await;
    backend.send(&queue, &["1", "2", "3", "4"]).await;
    assert_eq!(bodies(&take(&mut active, 4).await), ["1", "2", "3", "4"]);
    active.acker().ack(1, false).await.unwrap();
    drop(active);
    assert_eq!(bodies(&take(&mut waiting, 3).await), ["2", "3", "4"]);
}

pub(crate) async fn a_deleted_queue_ends_its_consumer(backend: &impl Backend) {
    let queue = backend.queue().await;
    let mut consumer = backend.consume(&queue, 10).await;
    backend.delete(&queue.name).await;
    assert_eq!(within(consumer.next(1)).await, None);
    let publisher = backend.broker().publisher().await.unwrap();
    assert_eq!(within(publisher.publish(vec![to(&queue.name, "x")])).await, [Published::Returned]);
    backend.broker().declare(&queue).await.unwrap();
    backend.send(&queue, &["1"]).await;
    assert_eq!(bodies(&take(&mut backend.consume(&queue, 10).await, 1).await), ["1"]);
}
