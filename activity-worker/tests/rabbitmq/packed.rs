//! Work items in packs, and a worker that takes them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use warren::{Activity, ActivityContext, Failure, Registry};

use crate::hub::Hub;

const STEP: Activity<u32, u32> = Activity::new("step");
/// Those with smaller numbers are slow.
const SLOW: u32 = 2;

/// An activity that is slow for some: they end only when the test lets them.
#[derive(Clone)]
struct Steps {
    open: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Steps {
    fn new() -> Self {
        Self { open: Arc::new(Semaphore::new(0)), begun: Arc::default() }
    }

    async fn step(self, number: u32) -> Result<u32, Failure> {
        self.begun.fetch_add(1, SeqCst);
        if number < SLOW {
            self.open.acquire().await?.forget();
        }
        Ok(number)
    }

    /// Starts a worker with two slots.
    fn serve(&self, hub: &Hub) -> Served {
        let (stop, steps) = (CancellationToken::new(), self.clone());
        let mut settings = hub.settings();
        settings.worker.concurrency = 2;
        let registry = Registry::new().activity(STEP, move |_: ActivityContext, number| steps.clone().step(number));
        let asked_to_stop = stop.clone().cancelled_owned();
        let served = tokio::spawn(async move { activity_worker::run(&settings, registry, asked_to_stop).await });
        Served { stop, served }
    }
}

/// A worker that serves.
struct Served {
    stop: CancellationToken,
    served: JoinHandle<activity_worker::Result<()>>,
}

impl Served {
    async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

fn inputs(numbers: std::ops::Range<u32>) -> impl Iterator<Item = Value> {
    numbers.map(|number| json!(number))
}

#[tokio::test]
async fn work_items_of_a_packed_queue_share_messages_and_are_answered_one_by_one() {
    let mut hub = Hub::packed().await;
    hub.schedule("step", inputs(10..30)).await;
    hub.left("step", 3).await;
    let worker = Steps::new().serve(&hub);
    let replies = hub.replies(20).await;
    assert!(replies.iter().all(|reply| reply.headers.contains_key("took")), "the owner asked for it");
    worker.stop().await;
    hub.left("step", 0).await;
    hub.close(&["step"]).await;
}

/// Nobody who can't read packs is sent one.
#[tokio::test]
async fn a_foreign_worker_of_a_queue_that_is_not_packed_sees_single_messages() {
    let hub = Hub::open().await;
    let tokens = hub.schedule("step", inputs(10..30)).await;
    hub.left("step", 20).await;
    for token in tokens {
        let item = hub.take_by_hand("step").await;
        assert_eq!(item.correlation_id().as_ref().map(|id| id.as_str()), Some(token.as_str()));
        assert_eq!(item.content_type().as_ref().map(|text| text.as_str()), Some("application/json"));
        assert_eq!(item.kind().as_ref().map(|text| text.as_str()), Some("step"));
    }
    hub.close(&["step"]).await;
}

/// H21: the slots of one worker are taken by slow items of the pack that has all.
#[tokio::test]
async fn h21_slow_items_of_a_pack_delay_no_others() {
    let (mut hub, steps) = (Hub::packed().await, Steps::new());
    hub.schedule("step", inputs(0..8)).await;
    hub.left("step", 1).await;
    let workers = [steps.serve(&hub), steps.serve(&hub)];
    let quick: Vec<Value> =
        hub.replies(6).await.iter().map(|reply| serde_json::from_slice(&reply.body).unwrap()).collect();
    assert_eq!(quick, inputs(2..8).collect::<Vec<_>>());
    steps.open.add_permits(2);
    hub.replies(2).await;
    for worker in workers {
        worker.stop().await;
    }
    hub.left("step", 0).await;
    assert_eq!(steps.begun.load(SeqCst), 8, "each ran once");
    hub.close(&["step"]).await;
}

/// H5, H21: nothing of a pack that is done comes again because its worker stops.
#[tokio::test]
async fn h21_a_worker_that_stops_within_a_pack_leaves_to_others_what_it_has_not_begun() {
    let (mut hub, steps) = (Hub::packed().await, Steps::new());
    hub.schedule("step", [2, 0, 1, 3, 4, 5].map(Value::from)).await;
    let worker = steps.serve(&hub);
    hub.replies(1).await;
    while steps.begun.load(SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    worker.stop.cancel();
    hub.left("step", 3).await;
    steps.open.add_permits(2);
    worker.stop().await;
    hub.replies(2).await;
    hub.left("step", 3).await;
    let next = steps.serve(&hub);
    hub.replies(3).await;
    next.stop().await;
    hub.left("step", 0).await;
    assert_eq!(steps.begun.load(SeqCst), 6, "each ran once");
    hub.close(&["step"]).await;
}
