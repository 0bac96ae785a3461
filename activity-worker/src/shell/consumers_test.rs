use std::collections::BTreeSet;

use tokio::time::timeout;
use warren_broker::{Topology, memory::Memory};

use super::super::fixture::{broker, publish, work};
use super::*;

const QUEUE: QueueId = QueueId(0);

/// Returns what is told next, in short.
async fn told(consumers: &mut Consumers<Memory>) -> String {
    let report = timeout(Duration::from_secs(20), consumers.next()).await.expect("a report in time");
    match report {
        Report::Opened(..) => "opened".into(),
        Report::Delivered(_, deliveries) => {
            let tasks: BTreeSet<_> = deliveries.iter().map(|delivery| delivery.message.body.clone()).collect();
            format!(
                "delivered {}",
                tasks.iter().map(|body| String::from_utf8_lossy(body)).collect::<Vec<_>>().join(" ")
            )
        }
        Report::Paused(_) => "paused".into(),
        Report::Closed(_, why) => format!("closed: {why}"),
        Report::Lost(_) => "lost".into(),
        Report::Failed(error) => format!("failed: {error}"),
    }
}

async fn consuming() -> (Memory, Consumers<Memory>) {
    let broker = broker().await;
    let spec = Topology::new("h").unwrap().work("send").unwrap();
    let mut consumers = Consumers::start(&broker, [Consumed { spec, prefetch: 4, begins_paused: false }].into_iter());
    assert_eq!(told(&mut consumers).await, "opened");
    (broker, consumers)
}

#[tokio::test]
async fn a_paused_queue_is_left_to_others_until_it_is_consumed_again() {
    let (broker, mut consumers) = consuming().await;
    publish(&broker, "send", [work("send", "send", 1)]).await;
    assert_eq!(told(&mut consumers).await, "delivered 1");
    consumers.pause(QUEUE, true);
    assert_eq!(told(&mut consumers).await, "paused");
    publish(&broker, "send", [work("send", "send", 2)]).await;
    assert_eq!((broker.ready("h.work.send").len(), broker.unacknowledged("h.work.send")), (1, 1), "it holds the first");
    consumers.pause(QUEUE, false);
    assert_eq!(told(&mut consumers).await, "opened");
    assert_eq!(told(&mut consumers).await, "delivered 2");
    consumers.close().await;
    assert_eq!(broker.ready("h.work.send").len(), 2);
}

/// What runs is said to its owner at once on the next channel, or another worker begins it.
#[tokio::test]
async fn h7_a_channel_that_is_lost_while_it_is_paused_is_known_to_be_lost() {
    let (broker, mut consumers) = consuming().await;
    consumers.pause(QUEUE, true);
    assert_eq!(told(&mut consumers).await, "paused");
    broker.break_connections();
    assert_eq!(told(&mut consumers).await, "lost");
    assert_eq!(told(&mut consumers).await, "paused", "there is still no slot");
    consumers.pause(QUEUE, false);
    assert_eq!(told(&mut consumers).await, "opened");
    consumers.pause(QUEUE, true);
    assert_eq!(told(&mut consumers).await, "paused");
    broker.delete_queue("h.work.send");
    consumers.pause(QUEUE, false);
    assert_eq!(told(&mut consumers).await, "lost", "there is nothing to consume");
    assert_eq!(told(&mut consumers).await, "opened");
    consumers.close().await;
}

#[tokio::test]
async fn a_queue_that_begins_paused_is_left_to_others_until_it_is_consumed() {
    let broker = broker().await;
    publish(&broker, "send", [work("send", "send", 1)]).await;
    let spec = Topology::new("h").unwrap().work("send").unwrap();
    let mut consumers = Consumers::start(&broker, [Consumed { spec, prefetch: 4, begins_paused: true }].into_iter());
    assert_eq!(told(&mut consumers).await, "paused");
    assert_eq!((broker.ready("h.work.send").len(), broker.unacknowledged("h.work.send")), (1, 0));
    consumers.pause(QUEUE, false);
    assert_eq!(told(&mut consumers).await, "opened");
    assert_eq!(told(&mut consumers).await, "delivered 1");
    consumers.close().await;
}

#[tokio::test]
async fn a_paused_queue_stays_open_for_acknowledgements_through_a_drain() {
    let (broker, mut consumers) = consuming().await;
    publish(&broker, "send", [work("send", "send", 1)]).await;
    assert_eq!(told(&mut consumers).await, "delivered 1");
    consumers.pause(QUEUE, true);
    assert_eq!(told(&mut consumers).await, "paused");
    consumers.drain();
    assert_eq!(broker.unacknowledged("h.work.send"), 1);
    consumers.close().await;
    assert_eq!(broker.ready("h.work.send").len(), 1);
}
