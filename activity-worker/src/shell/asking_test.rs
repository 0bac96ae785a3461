use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use warren::{Activity, ActivityContext, Registry};
use warren_broker::{Broker, Codec, Consumer, Inbound, Permit, Publisher, Topology, memory::Memory};
use warren_model::Failure;
use warren_model::PartitionCount;

use super::super::fixture::{CONTROL, broker, publish, settings, start, until, work};

/// An activity that counts its runs.
fn counting() -> (Registry, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let activity: Activity<i64, i64> = Activity::new("count");
    let registry = Registry::new().activity(activity, move |_: ActivityContext, n: i64| {
        count.fetch_add(1, SeqCst);
        async move { Ok::<_, Failure>(n) }
    });
    (registry, runs)
}

/// Puts an item into the queue as if a worker had died with it.
async fn leave_behind(broker: &Memory, number: u32) {
    publish(broker, "count", [work("count", "count", number)]).await;
    let mut dying = broker.consume("h.work.count", 1).await.unwrap();
    dying.next(1).await.unwrap();
    broker.break_consumers("h.work.count");
    until("the item is back", || broker.ready("h.work.count").len() == 1).await;
}

/// Takes the next message of the control queue, and answers it if it is a question.
async fn answer(broker: &Memory, permit: Permit) -> Inbound {
    let codec = Codec::new(Topology::new("h").unwrap(), PartitionCount(8.try_into().unwrap()), [7; 16]);
    let mut owner = broker.consume(CONTROL, 1).await.unwrap();
    let mut message = owner.next(1).await.unwrap().remove(0);
    message.routing_key = "".into(); // the items of these tests are of partition 3, whatever their instance says
    let inbound = codec.decode_control(&message).unwrap();
    warren_broker::Acker::ack(&owner.acker(), 1, false).await.unwrap();
    if let Inbound::Begin(question) = &inbound {
        broker.publisher().await.unwrap().publish(vec![codec.permit(question, permit, None)]).await;
    }
    inbound
}

#[tokio::test]
async fn h18_an_item_that_comes_again_runs_once_its_owner_says_so() {
    let (broker, (registry, runs)) = (broker().await, counting());
    leave_behind(&broker, 1).await;
    let bench = start(&broker, registry, settings(1));
    until("the question", || broker.ready(CONTROL).len() == 1).await;
    assert_eq!(runs.load(SeqCst), 0);
    let question = answer(&broker, Permit::Go).await;
    assert!(
        matches!(&question, Inbound::Begin(it) if it.worker == "worker-1" && it.activity == "count"),
        "{question:?}"
    );
    bench.replies(1).await;
    bench.emptied("h.work.count").await;
    assert_eq!(runs.load(SeqCst), 1);
    bench.stopped().await;
}

#[tokio::test]
async fn h8_an_item_that_nobody_waits_for_is_dropped() {
    let (broker, (registry, runs)) = (broker().await, counting());
    leave_behind(&broker, 1).await;
    let bench = start(&broker, registry, settings(1));
    answer(&broker, Permit::Drop).await;
    bench.emptied("h.work.count").await;
    assert_eq!((runs.load(SeqCst), broker.ready(CONTROL).len()), (0, 0));
    bench.stopped().await;
}

/// The answer was lost with the worker's connection: the item comes again, and so does the question.
#[tokio::test]
async fn a_question_survives_the_loss_of_every_connection() {
    let (broker, (registry, runs)) = (broker().await, counting());
    leave_behind(&broker, 1).await;
    let bench = start(&broker, registry, settings(1));
    until("the question", || broker.ready(CONTROL).len() == 1).await;
    broker.break_connections();
    until("the question again", || broker.ready(CONTROL).len() == 2).await;
    answer(&broker, Permit::Go).await; // to nobody
    answer(&broker, Permit::Go).await;
    bench.replies(1).await;
    assert_eq!(runs.load(SeqCst), 1);
    bench.stopped().await;
}
