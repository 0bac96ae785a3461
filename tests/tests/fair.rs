//! Lanes, priorities and limits of work-item queues, in a whole fleet.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use end_to_end::{Database, Inside, eventually};
use futures_util::future::join_all;
use serde_json::{Value, json};
use warren::{Activity, ActivityContext, Context, Failure, Orchestrator, Priority, Registry};
use warren_service::settings::QueueSettings;

const STEP: Activity<String, u32> = Activity::new("step");

async fn load(ctx: Context, (tenant, steps, priority): (String, u32, Priority)) -> Result<u32, Failure> {
    let step = |_| ctx.activity(STEP).key(&tenant).priority(priority).call(tenant.clone());
    join_all((0..steps).map(step)).await.into_iter().sum()
}

#[derive(Clone, Default)]
struct Steps {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    done_of_flood: Arc<AtomicUsize>,
    /// For whom each began, in this order.
    begun: Arc<Mutex<Vec<String>>>,
}

impl Steps {
    fn registry(&self) -> Registry {
        let steps = self.clone();
        let step = move |_: ActivityContext, tenant| steps.clone().step(tenant);
        Registry::new().orchestrator(Orchestrator::new("load"), load).activity(STEP, step)
    }

    async fn step(self, tenant: String) -> Result<u32, Failure> {
        self.begun.lock().unwrap().push(tenant.clone());
        let running = Running::new(&self.running, &self.most);
        // The work itself: nothing is waited for.
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(running);
        if tenant == "acme" {
            self.done_of_flood.fetch_add(1, SeqCst);
        }
        Ok(1)
    }
}

/// Counts a step that runs, until it ends or its worker is killed.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn new(running: &Arc<AtomicUsize>, most: &AtomicUsize) -> Self {
        most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
        Self(running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

async fn start(inside: &Inside, instance: &str, tenant: &str, steps: u32) {
    start_with(inside, instance, (tenant, steps, Priority::Normal)).await;
}

async fn start_with(inside: &Inside, instance: &str, input: (&str, u32, Priority)) {
    let input = json!(input).to_string();
    let started = inside.http().post(&format!("/orchestrators/load/{instance}"), &[], input.into()).await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text());
}

/// Lets a tenant flood its lane, and another begin five steps meanwhile; returns how many of the flood ended before those.
async fn let_in_before_a_quiet_tenant(inside: &Inside, steps: &Steps, flood: u32) -> usize {
    start(inside, "flood", "acme", flood).await;
    eventually("the flood runs", || async { steps.done_of_flood.load(SeqCst) > 20 }).await;
    let before = steps.done_of_flood.load(SeqCst);
    start(inside, "quiet", "initech", 5).await;
    assert_eq!(ends(inside, "quiet").await, json!(5));
    let meanwhile = steps.done_of_flood.load(SeqCst) - before;
    assert_eq!(ends(inside, "flood").await, json!(flood));
    meanwhile
}

async fn ends(inside: &Inside, instance: &str) -> Value {
    let ended = inside.http().get(&format!("/instances/{instance}/wait?timeout=60")).await.unwrap();
    let status: Value = ended.json().unwrap();
    status["output"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_floods_its_lane_does_not_hold_up_another() {
    let steps = Steps::default();
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    inside.settings.queues.insert("step".into(), QueueSettings { lanes: 3, ..QueueSettings::default() });
    inside.settings.worker.concurrency = 2;
    inside.start().await;
    let meanwhile = let_in_before_a_quiet_tenant(&inside, &steps, 1_000).await;
    assert!(meanwhile < 300, "{meanwhile} of 1,000 were let in before 5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_hold_up_what_is_high_nor_starve_what_is_low() {
    let steps = Steps::default();
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    let rules = QueueSettings { lanes: 3, priorities: true, ..QueueSettings::default() };
    inside.settings.queues.insert("step".into(), rules);
    inside.settings.worker.concurrency = 8;
    inside.start().await;
    start(&inside, "flood", "acme", 1_000).await;
    start_with(&inside, "night", ("globex", 10, Priority::Low)).await;
    eventually("the flood runs", || async { steps.done_of_flood.load(SeqCst) > 20 }).await;
    start_with(&inside, "urgent", ("initech", 100, Priority::High)).await;
    assert_eq!(ends(&inside, "urgent").await, json!(100));
    let begun = steps.begun.lock().unwrap().clone();
    let is_urgent = |tenant: &String| tenant == "initech";
    let of_urgent = begun.iter().position(is_urgent).unwrap()..=begun.iter().rposition(is_urgent).unwrap();
    let others = begun[of_urgent].len() - 100;
    assert!(others < 200, "{others} were let in before 100");
    assert_eq!(ends(&inside, "night").await, json!(10));
    assert!(steps.done_of_flood.load(SeqCst) < 1_000, "one of eight was low");
    assert_eq!(ends(&inside, "flood").await, json!(1_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_for_the_whole_fleet_and_the_next_worker_takes_over() {
    let steps = Steps::default();
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    inside.settings.queues.insert("step".into(), QueueSettings { limit: 3, ..QueueSettings::default() });
    inside.start().await;
    inside.another_worker();
    start(&inside, "flood", "acme", 300).await;
    eventually("it runs", || async { steps.done_of_flood.load(SeqCst) > 100 }).await;
    assert_eq!(steps.most.load(SeqCst), 3);
    inside.stop("worker").await;
    assert_eq!(ends(&inside, "flood").await, json!(300));
    assert!(steps.most.load(SeqCst) <= 6, "one begins while the other ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_over_all_lanes_holds_for_the_whole_fleet_while_workers_die_and_drain() {
    let steps = Steps::default();
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    let rules = QueueSettings { lanes: 4, priorities: true, limit: 3, lane_limit: 2, ..QueueSettings::default() };
    inside.settings.queues.insert("step".into(), rules);
    inside.start().await;
    inside.another_worker();
    let tenants = [("acme", Priority::Normal), ("initech", Priority::High), ("hooli", Priority::Low)];
    for (tenant, priority) in tenants {
        start_with(&inside, tenant, (tenant, 300, priority)).await;
    }
    let done = |count| {
        let done = steps.done_of_flood.clone();
        eventually("it goes on", move || {
            let done = done.clone();
            async move { done.load(SeqCst) >= count }
        })
    };
    done(10).await;
    inside.kill("worker").await;
    done(40).await;
    inside.worker();
    inside.stop("another worker").await;
    done(80).await;
    for (tenant, _) in tenants {
        assert_eq!(ends(&inside, tenant).await, json!(300), "{tenant}");
    }
    assert_eq!(steps.most.load(SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_floods_its_lane_does_not_hold_up_another_within_a_limit() {
    let steps = Steps::default();
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    inside.settings.queues.insert("step".into(), QueueSettings { lanes: 3, limit: 2, ..QueueSettings::default() });
    inside.start().await;
    let meanwhile = let_in_before_a_quiet_tenant(&inside, &steps, 500).await;
    assert!(meanwhile < 150, "{meanwhile} of 500 were let in before 5");
    assert_eq!(steps.most.load(SeqCst), 2);
}
