//! Activities that run for long: past the broker's patience, through its restart, and until somebody gives them up.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use end_to_end::{Amqp, Database, Inside, Server, eventually};
use serde_json::{Value, json};
use tokio::{select, sync::Semaphore};
use warren::{Activity, ActivityContext, CancelReason, Context, Failure, Orchestrator, Registry, RetryPolicy, seconds};

const DIG: Activity<u32, u32> = Activity::new("dig");
const APPROVE: Activity<String, Value> = Activity::new("approve");

/// How long the broker leaves a delivery unacknowledged.
const PATIENCE: Duration = Duration::from_secs(4);

/// Digs once, however long that takes; a depth of 0 takes no time.
async fn mine(ctx: Context, depth: u32) -> Result<u32, Failure> {
    ctx.call(DIG, depth).await
}

/// Digs with a limit for silence.
async fn watched(ctx: Context, depth: u32) -> Result<u32, Failure> {
    let twice = RetryPolicy::times(2).first_delay(seconds(0));
    ctx.activity(DIG).heartbeat(seconds(2)).retry(twice).call(depth).await
}

async fn ask(ctx: Context, question: String) -> Result<Value, Failure> {
    ctx.activity(APPROVE).schedule_to_close(seconds(60)).call(question).await
}

/// Whoever is asked must be heard of every two seconds.
async fn ask_again(ctx: Context, question: String) -> Result<Value, Failure> {
    ctx.activity(APPROVE)
        .heartbeat(seconds(2))
        .retry(RetryPolicy::times(2).first_delay(seconds(0)))
        .call(question)
        .await
}

/// A token, and the progress that was known.
type Handed = (String, Option<u32>);

/// What the activities have done and were told.
#[derive(Clone, Default)]
struct Site {
    /// One more lets an activity end.
    open: Arc<Gate>,
    /// The progress with which each run of [`DIG`] began.
    begun: Arc<Mutex<Vec<Option<u32>>>>,
    told: Arc<Mutex<Vec<CancelReason>>>,
    /// The token of each run of [`APPROVE`], and the progress with which it began.
    handed_over: Arc<Mutex<Vec<Handed>>>,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Site {
    fn registry(&self) -> Registry {
        let (site, other) = (self.clone(), self.clone());
        Registry::new()
            .orchestrator(Orchestrator::new("mine"), mine)
            .orchestrator(Orchestrator::new("watched"), watched)
            .orchestrator(Orchestrator::new("ask"), ask)
            .orchestrator(Orchestrator::new("ask-again"), ask_again)
            .activity(DIG, move |ctx: ActivityContext, depth| site.clone().dig(ctx, depth))
            .activity(APPROVE, move |ctx: ActivityContext, _: String| {
                let known = ctx.progress().unwrap();
                other.handed_over.lock().unwrap().push((ctx.token().to_owned(), known));
                std::future::ready(Err::<Value, _>(ctx.hand_over()))
            })
    }

    async fn dig(self, ctx: ActivityContext, depth: u32) -> Result<u32, Failure> {
        self.begun.lock().unwrap().push(ctx.progress()?);
        if depth == 0 {
            return Ok(depth);
        }
        ctx.heartbeat(&depth)?;
        select! {
            permit = self.open.0.acquire() => permit?.forget(),
            reason = ctx.cancelled() => {
                self.told.lock().unwrap().push(reason);
                return Err(Failure::new("stopped", "as told"));
            }
        }
        Ok(depth)
    }

    fn runs(&self) -> usize {
        self.begun.lock().unwrap().len()
    }
}

async fn start(inside: &Inside, path: &str, input: &str) {
    let started = inside.http().post(&format!("/orchestrators/{path}"), &[], input.into()).await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text());
}

async fn outcome(inside: &Inside, instance: &str) -> (Value, Value) {
    let ended = inside.http().get(&format!("/instances/{instance}/wait?timeout=60")).await.unwrap();
    let status: Value = ended.json().unwrap();
    (status["runtimeStatus"].clone(), status["output"].clone())
}

async fn history(inside: &Inside, instance: &str) -> String {
    let path = format!("/instances/{instance}?showHistory=true&showHistoryOutput=true");
    let status: Value = inside.http().get(&path).await.unwrap().json().unwrap();
    status["historyEvents"].to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_outlasts_the_broker_s_patience_and_its_restart_runs_once_and_is_cancelled_on_request() {
    let broker = Server::rabbitmq_with_consumer_timeout("patience", 4_000);
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    inside.settings.broker.url = broker.url().into();
    inside.settings.worker.hold_seconds = 2;
    inside.start().await;
    let since = Instant::now();
    start(&inside, "mine/one", "1").await;
    start(&inside, "mine/two", "2").await;
    eventually("both run", || async { site.runs() == 2 }).await;
    let queue = format!("{}.work.dig", inside.settings.hub.name);
    let unacknowledged = || broker.ctl(&["list_queues", "--no-table-headers", "name", "messages_unacknowledged"]);
    eventually("nothing is held", || async { unacknowledged().lines().any(|line| line == format!("{queue}\t0")) })
        .await;
    eventually("the broker's patience is over twice", || async { since.elapsed() > 2 * PATIENCE }).await;

    broker.kill();
    broker.start();
    // Of a try that was not answered in time the start may have been taken: then it exists.
    eventually("the hub takes commands again", || async {
        let started = inside.http().post("/orchestrators/ask/probe", &[], "\"?\"".into()).await;
        started.is_ok_and(|reply| [202, 409].contains(&reply.status.as_u16()))
    })
    .await;
    eventually("its worker serves again", || async { !site.handed_over.lock().unwrap().is_empty() }).await;
    let asked = Instant::now();
    let reply = inside.http().post("/instances/one/terminate", &[], vec![]).await.unwrap();
    assert_eq!(reply.status, 202, "{}", reply.text());
    eventually("it is told", || async { *site.told.lock().unwrap() == [CancelReason::Cancelled] }).await;
    eprintln!("cancelled after {:?}", asked.elapsed());
    site.open.0.add_permits(1);
    assert_eq!(outcome(&inside, "two").await, (json!("Completed"), json!(2)));
    assert_eq!(site.runs(), 2, "each once");
}

/// H21: an item must not wait behind what its queue no longer holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_comes_while_acknowledged_work_has_every_slot_is_done_by_others() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    (inside.settings.worker.concurrency, inside.settings.worker.hold_seconds) = (1, 2);
    inside.start().await;
    start(&inside, "mine/long", "1").await;
    eventually("it runs", || async { site.runs() == 1 }).await;
    let broker = Amqp::connect().await;
    let queue = format!("{}.work.dig", inside.settings.hub.name);
    eventually("the worker pauses", || async { broker.consumers(&queue).await == 0 }).await;
    start(&inside, "mine/waits", "0").await;
    eventually("it is with the broker", || async { broker.count(&queue).await == 1 }).await;
    inside.another_worker();
    for number in 0..5 {
        start(&inside, &format!("mine/short-{number}"), "0").await;
        assert_eq!(outcome(&inside, &format!("short-{number}")).await, (json!("Completed"), json!(0)));
    }
    assert_eq!(outcome(&inside, "waits").await, (json!("Completed"), json!(0)));
    inside.stop("another worker").await;
    site.open.0.add_permits(1);
    assert_eq!(outcome(&inside, "long").await, (json!("Completed"), json!(1)));
    start(&inside, "mine/last", "0").await;
    assert_eq!(outcome(&inside, "last").await, (json!("Completed"), json!(0)), "the first consumes again");
    assert_eq!(site.runs(), 8, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_the_next_worker_begins_at_once_and_where_the_killed_one_was() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    inside.start().await;
    start(&inside, "mine/one", "7").await;
    let rows = inside.folder().join("hub.db");
    let is_noted = || async {
        let rows = rusqlite::Connection::open(&rows).unwrap();
        rows.query_row("SELECT count(*) FROM task_note", [], |row| row.get::<_, u32>(0)).is_ok_and(|count| count == 1)
    };
    eventually("its owner knows that it runs", is_noted).await;
    inside.kill("worker").await;
    inside.worker();
    eventually("it begins again", || async { site.runs() == 2 }).await;
    site.open.0.add_permits(1);
    assert_eq!(outcome(&inside, "one").await, (json!("Completed"), json!(7)));
    assert_eq!(*site.begun.lock().unwrap(), [None, Some(7)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_says_nothing_for_too_long_is_cancelled_and_tried_again_from_where_it_was() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Postgres, site.registry());
    inside.start().await;
    start(&inside, "watched/one", "3").await;
    eventually("the second attempt runs", || async { site.runs() == 2 }).await;
    assert_eq!(*site.begun.lock().unwrap(), [None, Some(3)]);
    eventually("the first is told", || async { !site.told.lock().unwrap().is_empty() }).await;
    site.open.0.add_permits(1);
    assert_eq!(outcome(&inside, "one").await, (json!("Completed"), json!(3)));
    assert!(history(&inside, "one").await.contains("heartbeat_timeout"));
}

/// H8: nobody is blamed for a deployment, and no attempt is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h8_what_a_stopped_worker_hands_back_begins_elsewhere_as_the_same_attempt() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    inside.settings.worker.drain_seconds = 4;
    inside.start().await;
    start(&inside, "mine/one", "5").await;
    eventually("it runs", || async { site.runs() == 1 }).await;
    for round in 1..=2 {
        inside.stop("worker").await;
        assert_eq!(site.told.lock().unwrap().len(), round);
        inside.worker();
        eventually("it begins again", || async { site.runs() == round + 1 }).await;
    }
    site.open.0.add_permits(1);
    assert_eq!(outcome(&inside, "one").await, (json!("Completed"), json!(5)));
    assert_eq!(*site.begun.lock().unwrap(), [None, Some(5), Some(5)]);
    assert_eq!(*site.told.lock().unwrap(), [CancelReason::WorkerStops; 2]);
    assert!(!history(&inside, "one").await.contains("TaskFailed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_activity_hands_over_is_completed_by_http() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    inside.start().await;
    start(&inside, "ask/one", "\"may I?\"").await;
    eventually("somebody else has it", || async { !site.handed_over.lock().unwrap().is_empty() }).await;
    inside.stop("worker").await;
    let token = site.handed_over.lock().unwrap()[0].0.clone();
    let path = format!("/tasks/{token}/complete");
    let complete = |json: &'static str| {
        let headers = [("content-type", "application/json")];
        let (http, path) = (inside.http(), path.clone());
        async move { http.post(&path, &headers, json.into()).await.unwrap() }
    };
    let heartbeat = format!("/tasks/{token}/heartbeat");
    let is_awaited = || async {
        let reply = inside.http().post(&heartbeat, &[], Vec::new()).await.unwrap();
        reply.json::<Value>().unwrap()["isAwaited"].clone()
    };
    assert_eq!(is_awaited().await, true);
    let reply = complete(r#"{"approved":true}"#).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    assert_eq!(outcome(&inside, "one").await, (json!("Completed"), json!({"approved": true})));
    assert_eq!(complete("1").await.status, 410, "nobody waits any more");
    assert_eq!(is_awaited().await, false);
}

/// H7: who has the token says that it is still at it, and how far; without such word the next attempt begins from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_heartbeats_by_http_keep_a_task_that_was_handed_over_and_tell_when_nobody_waits() {
    let site = Site::default();
    let mut inside = Inside::new(Database::Sqlite, site.registry());
    inside.start().await;
    start(&inside, "ask-again/one", "\"may I?\"").await;
    let has_tokens = async |count: usize| {
        eventually("somebody else has it", || async { site.handed_over.lock().unwrap().len() == count }).await;
    };
    has_tokens(1).await;
    let token = |attempt: usize| site.handed_over.lock().unwrap()[attempt - 1].0.clone();
    let beat = async |token: String, progress: u32| {
        let (path, headers) = (format!("/tasks/{token}/heartbeat"), [("content-type", "application/json")]);
        let reply = inside.http().post(&path, &headers, progress.to_string().into()).await.unwrap();
        reply.json::<Value>().unwrap()["isAwaited"].as_bool().unwrap()
    };
    let begun = Instant::now();
    let mut progress = 0;
    while begun.elapsed() < Duration::from_secs(5) {
        progress += 1;
        assert!(beat(token(1), progress).await, "its time is not over while it is heard of");
    }
    has_tokens(2).await;
    let known = site.handed_over.lock().unwrap().iter().map(|(_, progress)| *progress).collect::<Vec<_>>();
    assert_eq!(known, [None, Some(progress)]);
    assert!(!beat(token(1), 0).await, "nobody waits for the first attempt any more");
    assert!(beat(token(2), 0).await);
    let reply = inside.http().post("/instances/one/terminate", &[], Vec::new()).await.unwrap();
    assert_eq!(reply.status, 202, "{}", reply.text());
    eventually("it is told", || async { !beat(token(2), 0).await }).await;
}
