use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Semaphore;
use warren::{Activity, ActivityContext, Failure, Registry};
use warren_broker::codec::pack;

use super::super::fixture::{CONTROL, broker, publish, settings, start_packing, until, work};

const GATE: Activity<u32, u32> = Activity::new("gate");

/// Activities that all end when the test lets them; how many have begun.
fn gate() -> (Registry, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (open, begun) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (gate, count) = (open.clone(), begun.clone());
    let registry = Registry::new().activity(GATE, move |_: ActivityContext, number| {
        let (gate, count) = (gate.clone(), count.clone());
        async move {
            count.fetch_add(1, SeqCst);
            gate.acquire().await?.forget();
            Ok::<_, Failure>(number)
        }
    });
    (registry, open, begun)
}

/// How many messages of the control queue there are, and how many replies they carry.
fn replies(broker: &warren_broker::memory::Memory) -> (usize, usize) {
    let messages = broker.ready(CONTROL);
    (messages.len(), messages.iter().map(|message| pack::unpack(message.clone()).len()).sum())
}

#[tokio::test]
async fn replies_that_are_ready_together_travel_together_and_their_items_are_acknowledged() {
    let (registry, open, begun) = gate();
    let bench = start_packing(&broker().await, registry, settings(50));
    publish(&bench.broker, "gate", (1..=50).map(|number| work("gate", "gate", number))).await;
    until("all to begin", || begun.load(SeqCst) == 50).await;
    open.add_permits(50);
    until("the replies", || replies(&bench.broker).1 == 50).await;
    let (messages, _) = replies(&bench.broker);
    assert!(messages <= 5, "{messages} messages");
    bench.emptied("h.work.gate").await;
    bench.stopped().await;
}

#[tokio::test]
async fn a_lone_reply_goes_alone_and_waits_for_none() {
    let (registry, open, _) = gate();
    let bench = start_packing(&broker().await, registry, settings(50));
    publish(&bench.broker, "gate", [work("gate", "gate", 1), work("gate", "gate", 2)]).await;
    for count in 1..=2 {
        open.add_permits(1);
        until("the reply", || replies(&bench.broker) == (count, count)).await;
    }
    assert!(bench.broker.ready(CONTROL).iter().all(|message| message.kind.as_deref() == Some("result")));
    bench.emptied("h.work.gate").await;
    bench.stopped().await;
}

/// H5: the broker takes no pack, then it does.
#[tokio::test]
async fn h5_items_whose_pack_was_not_confirmed_stay_unacknowledged_until_it_is() {
    let (registry, open, begun) = gate();
    let bench = start_packing(&broker().await, registry, settings(10));
    publish(&bench.broker, "gate", (1..=10).map(|number| work("gate", "gate", number))).await;
    until("all to begin", || begun.load(SeqCst) == 10).await;
    bench.broker.delete_queue(CONTROL);
    open.add_permits(10);
    // The worker declares the queue that its replies were returned from.
    until("the replies", || replies(&bench.broker).1 == 10).await;
    bench.emptied("h.work.gate").await;
    bench.stopped().await;
}
