use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Semaphore;
use warren::{Activity, ActivityContext, Failure, Registry};
use warren_broker::HeaderValue;
use warren_model::code;
use warren_service::health::Health;

use super::super::fixture::{CONTROL, DEAD, broker, failure, publish, send, settings, start, until, work};

const DOUBLE: Activity<u32, u32> = Activity::new("double");
const DECLINE: Activity<u32, u32> = Activity::new("decline").queue("double");
const PANIC: Activity<u32, u32> = Activity::new("panic").queue("double");
const GATE: Activity<u32, u32> = Activity::new("gate");

fn registry() -> Registry {
    Registry::new()
        .activity(DOUBLE, |_: ActivityContext, number| async move { Ok::<_, Failure>(2 * number) })
        .activity(DECLINE, |_: ActivityContext, _| async move { Err::<u32, _>(Failure::new("declined", "no funds")) })
        .activity(PANIC, |_: ActivityContext, number| async move {
            assert!(number > 1000, "number {number} is unlucky");
            Ok::<_, Failure>(number)
        })
}

/// An activity that ends only when the test lets it, and counts how often it began and how many ran at once.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gate {
    fn closed() -> Self {
        let zero = || Arc::new(AtomicUsize::new(0));
        Self { open: Arc::new(Semaphore::new(0)), begun: zero(), running: zero(), most: zero() }
    }

    fn registry(&self) -> Registry {
        let gate = self.clone();
        Registry::new().activity(GATE, move |_: ActivityContext, number| gate.clone().pass(number))
    }

    async fn pass(self, number: u32) -> Result<u32, Failure> {
        self.begun.fetch_add(1, SeqCst);
        self.most.fetch_max(self.running.fetch_add(1, SeqCst) + 1, SeqCst);
        self.open.acquire().await?.forget();
        self.running.fetch_sub(1, SeqCst);
        Ok(number)
    }

    fn running(&self) -> usize {
        self.running.load(SeqCst)
    }
}

#[tokio::test]
async fn a_work_item_is_answered_under_its_correlation_id_and_acknowledged() {
    let bench = start(&broker().await, registry(), settings(4));
    let item = work("double", "double", 21);
    publish(&bench.broker, "double", [item.clone()]).await;
    let replies = bench.replies(1).await;
    assert_eq!(&*replies[0].body, b"42");
    assert_eq!(replies[0].correlation_id, item.message.correlation_id);
    assert_eq!(replies[0].headers["worker"], HeaderValue::Text("worker-1".into()));
    bench.emptied("h.work.double").await;
    bench.stopped().await;
}

#[tokio::test]
async fn an_error_and_a_panic_are_replies_of_type_failure() {
    let bench = start(&broker().await, registry(), settings(1));
    publish(&bench.broker, "double", [work("decline", "double", 1), work("panic", "double", 2)]).await;
    let replies = bench.replies(2).await;
    assert_eq!(failure(&replies[0]).code, "declined");
    let panicked = failure(&replies[1]);
    assert_eq!(panicked.code, code::PANICKED);
    assert!(panicked.message.contains("number 2 is unlucky"), "{panicked}");
    bench.emptied("h.work.double").await;
    bench.stopped().await;
}

#[tokio::test]
async fn an_unknown_activity_is_a_retryable_failure_that_names_what_is_served() {
    let bench = start(&broker().await, registry(), settings(1));
    publish(&bench.broker, "double", [work("treble", "double", 1)]).await;
    let unknown = failure(&bench.replies(1).await[0]);
    assert_eq!((unknown.code.as_str(), unknown.retryable), (code::UNKNOWN_ACTIVITY, true));
    assert!(unknown.message.contains("`treble`") && unknown.message.contains("`double`"), "{unknown}");
    bench.stopped().await;
}

/// A stranger's message; nobody has declared the dead queue yet.
#[tokio::test]
async fn what_makes_no_sense_ends_in_the_dead_queue() {
    let bench = start(&broker().await, registry(), settings(1));
    let mut broken = work("double", "double", 1);
    broken.message.correlation_id = None;
    publish(&bench.broker, "double", [broken]).await;
    until("a dead letter", || bench.broker.ready(DEAD).len() == 1).await;
    bench.emptied("h.work.double").await;
    assert!(matches!(&bench.broker.ready(DEAD)[0].headers["warren-reason"], HeaderValue::Text(_)));
    bench.stopped().await;
}

#[tokio::test]
async fn h5_a_work_item_whose_reply_was_never_confirmed_goes_back() {
    let (broker, gate) = (broker().await, Gate::closed());
    publish(&broker, "gate", [work("gate", "gate", 1)]).await;
    let mut settings = settings(1);
    settings.worker.drain_seconds = 1;
    let bench = start(&broker, gate.registry(), settings);
    until("the activity", || gate.running() == 1).await;
    broker.set_refusing(Some("full"));
    gate.open.add_permits(1);
    until("the end of the activity", || gate.running() == 0).await;
    bench.stopped().await;
    assert_eq!((broker.ready("h.work.gate").len(), broker.ready(CONTROL).len()), (1, 0));
}

/// H6: the broker has the reply, and its confirm is lost; the owner drops the second.
#[tokio::test]
async fn h6_a_reply_without_a_confirm_is_sent_again_before_the_item_is_acknowledged() {
    let broker = broker().await;
    let bench = start(&broker, registry(), settings(1));
    publish(&broker, "double", []).await;
    broker.set_losing_confirms(true);
    send(&broker, work("double", "double", 1)).await;
    let replies = bench.replies(2).await;
    assert_eq!(replies[0], replies[1]);
    assert_eq!(broker.unacknowledged("h.work.double"), 1);
    broker.set_losing_confirms(false);
    bench.emptied("h.work.double").await;
    bench.stopped().await;
}

#[tokio::test]
async fn a_missing_control_queue_is_declared_and_the_reply_sent_again() {
    let broker = broker().await;
    broker.delete_queue(CONTROL);
    let bench = start(&broker, registry(), settings(1));
    publish(&broker, "double", [work("double", "double", 1)]).await;
    bench.replies(1).await;
    bench.emptied("h.work.double").await;
    bench.stopped().await;
}

#[tokio::test]
async fn no_more_activities_run_at_once_than_the_setting_says() {
    let (broker, gate) = (broker().await, Gate::closed());
    publish(&broker, "gate", (1..=20).map(|number| work("gate", "gate", number))).await;
    let bench = start(&broker, gate.registry(), settings(3));
    until("three activities", || gate.running() == 3).await;
    assert_eq!(broker.unacknowledged("h.work.gate"), 3, "others can have the rest");
    gate.open.add_permits(20);
    assert_eq!(bench.replies(20).await.len(), 20);
    assert_eq!(gate.most.load(SeqCst), 3);
    bench.emptied("h.work.gate").await;
    bench.stopped().await;
}

#[tokio::test]
async fn h21_a_drain_finishes_what_runs_and_leaves_the_rest_to_others() {
    let (broker, gate) = (broker().await, Gate::closed());
    publish(&broker, "gate", (1..=5).map(|number| work("gate", "gate", number))).await;
    let bench = start(&broker, gate.registry(), settings(2));
    until("two activities", || gate.running() == 2).await;
    bench.ask_to_stop();
    until("draining", || !bench.health.is_ready()).await;
    gate.open.add_permits(2);
    bench.stopped().await;
    assert_eq!(broker.ready(CONTROL).len(), 2);
    assert_eq!((broker.ready("h.work.gate").len(), broker.unacknowledged("h.work.gate")), (3, 0));
}

#[tokio::test]
async fn an_activity_that_outlasts_the_drain_is_cut_off_and_its_item_goes_back() {
    let (broker, gate) = (broker().await, Gate::closed());
    publish(&broker, "gate", [work("gate", "gate", 1)]).await;
    let mut settings = settings(1);
    settings.worker.drain_seconds = 0;
    let bench = start(&broker, gate.registry(), settings);
    until("the activity", || gate.running() == 1).await;
    bench.stopped().await;
    assert_eq!(broker.ready("h.work.gate").len(), 1);
    let said: Vec<_> = broker.ready(CONTROL).into_iter().filter_map(|message| message.kind).collect();
    assert_eq!(said, ["hand-back"]);
}

/// H7, H8: the item comes back to the worker that still runs it.
#[tokio::test]
async fn an_activity_survives_the_loss_of_its_channel_and_runs_once() {
    let (broker, gate) = (broker().await, Gate::closed());
    publish(&broker, "gate", [work("gate", "gate", 1)]).await;
    let bench = start(&broker, gate.registry(), settings(2));
    until("the activity", || gate.running() == 1).await;
    broker.break_connections();
    until("the redelivery", || broker.unacknowledged("h.work.gate") == 1).await;
    gate.open.add_permits(1);
    bench.replies(1).await;
    bench.emptied("h.work.gate").await;
    assert_eq!(gate.begun.load(SeqCst), 1);
    bench.stopped().await;
}

#[tokio::test]
async fn h22_a_worker_waits_for_its_broker_and_says_that_it_is_not_ready() {
    let broker = broker().await;
    publish(&broker, "double", [work("double", "double", 1)]).await;
    broker.set_down(Some("connection refused"));
    let bench = start(&broker, registry(), settings(1));
    until("an attempt", || shown(&bench.health).contains("connection refused")).await;
    assert!(!bench.health.is_ready());
    broker.set_down(None);
    bench.replies(1).await;
    until("readiness", || bench.health.is_ready()).await;
    bench.stopped().await;
}

#[tokio::test]
async fn a_worker_stops_while_its_broker_is_away() {
    let broker = broker().await;
    broker.set_down(Some("connection refused"));
    let bench = start(&broker, registry(), settings(1));
    until("an attempt", || shown(&bench.health).contains("connection refused")).await;
    bench.stopped().await;
}

/// Returns what the health endpoint would tell.
fn shown(health: &Health) -> String {
    format!("{health:?}")
}
