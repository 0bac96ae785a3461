//! The workers of `examples/workers`, with the real clients of their languages: each test runs all of them.
//!
//! They are copied to a folder, with activities of the tests' own beside them, as whoever uses them would do it.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod hub;
mod proxy;

use std::{
    collections::BTreeMap,
    process::ExitStatus,
    time::{Duration, Instant},
};

use end_to_end::{Process, eventually, repository};
use futures_util::future::join_all;
use lapin::BasicProperties;
use serde_json::{Value, json};

use hub::{Hub, Language, SHARED, TRACE};
use proxy::Proxy;

const CALLS: usize = 60;

/// A plan that takes a minute, unless it is cut short.
fn long(name: &str) -> Value {
    json!({"name": name, "steps": 600, "ms": 100})
}

/// Returns what a worker says of each time that it began what the plan names.
fn begun(worker: &Process, name: &str) -> Vec<String> {
    let start = format!("begun {name} ");
    worker.log().lines().filter_map(|line| Some(line.strip_prefix(&start)?.to_owned())).collect()
}

/// Waits until it was begun where somebody else had left it, and returns how long that took.
async fn goes_on(worker: &Process, name: &str) -> Duration {
    let since = Instant::now();
    eventually(&format!("{name} is begun again"), || async { !begun(worker, name).is_empty() }).await;
    let begun = begun(worker, name);
    let at: u32 = begun[0].split(' ').nth(1).unwrap().parse().unwrap();
    assert!(at > 0, "{name} goes on where it was: {begun:?}");
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_serve_as_they_stand() {
    let mut hub = Hub::start().await;
    let _workers = Language::ALL.map(|language| hub.example(language));
    for queue in Language::ALL.map(Language::name) {
        hub.call(&format!("box-{queue}"), "compute_volume", queue, json!({"length": 2, "width": 3, "height": 4})).await;
        hub.call(&format!("flat-{queue}"), "compute_volume", queue, json!({"length": 2, "width": -3, "height": 4}))
            .await;
        hub.call(&format!("video-{queue}"), "transcode", queue, json!({"frames": 150})).await;
        hub.call(&format!("work-{queue}"), "work", queue, json!(null)).await;
    }
    for queue in Language::ALL.map(Language::name) {
        assert_eq!(hub.result(&format!("box-{queue}")).await["litres"], 24000.0);
        let failure = hub.failure(&format!("flat-{queue}")).await;
        let expected = json!({"code": "negative", "message": "a side is negative", "retryable": false});
        assert_eq!(failure, expected, "{queue}");
        assert_eq!(hub.result(&format!("video-{queue}")).await, json!({"frames": 150, "began_at": 0}), "{queue}");
        assert_eq!(hub.failure(&format!("work-{queue}")).await["code"], "unknown_activity", "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smallest_worker_serves_and_is_the_one_that_the_docs_show() {
    let mut hub = Hub::start().await;
    let queue = Language::Pika.name();
    hub.call("box", "compute_volume", queue, json!({"length": 2, "width": 3, "height": 4})).await;
    eventually("its queue is there", || async { hub.waiting(queue).await == 1 }).await;
    let _worker = hub.minimal(queue);
    assert_eq!(hub.result("box").await["litres"], 24000);

    let read = |path| std::fs::read_to_string(repository().join(path)).unwrap();
    let script = read("examples/workers/python/minimal.py");
    assert!(
        read("docs/workers.md").contains(&format!("```python\n{script}```\n")),
        "docs/workers.md shows another one"
    );
}

#[test]
fn the_examples_are_short_enough_to_be_read() {
    for worker in ["python/pika_worker.py", "python/aio_worker.py", "node/worker.mjs"] {
        let text = std::fs::read_to_string(repository().join("examples/workers").join(worker)).unwrap();
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(text.lines().count() < 60 && widest <= 100, "{worker}");
    }
}

/// H8: under one key; the next attempt is told how far the first one came, also what that said in its last moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h8_what_an_activity_raises_is_a_failure_that_the_caller_s_policy_judges() {
    let mut hub = Hub::start().await;
    let workers = Language::ALL.map(|language| hub.worker(language, language.name(), &[]));
    for queue in Language::ALL.map(Language::name) {
        let plan = json!({"name": "a", "steps": 10, "ms": 10, "breaks_at": 5});
        hub.call(&format!("breaks-{queue}"), "work", queue, plan).await;
        let plan = json!({"name": "b", "steps": 10, "ms": 10, "wears_out_at": 5});
        hub.call(&format!("wears-out-{queue}"), "work", queue, plan).await;
    }
    for (language, worker) in Language::ALL.into_iter().zip(&workers) {
        let queue = language.name();
        let result = hub.result(&format!("breaks-{queue}")).await;
        assert_eq!((&result["attempt"], &result["began_at"]), (&json!(2), &json!(5)), "{queue}: {result}");
        assert!(result["traceparent"].as_str().unwrap().starts_with(&TRACE[..35]), "{queue}: {result}");
        let key = result["key"].as_str().unwrap();
        assert_eq!(begun(worker, "a"), [format!("at 0 under {key}"), format!("at 5 under {key}")], "{queue}");

        let failure = hub.failure(&format!("wears-out-{queue}")).await;
        assert_eq!((&failure["code"], &failure["progress"]), (&json!("worn_out"), &json!(5)), "{queue}: {failure}");
        assert_eq!(begun(worker, "b").len(), 1, "{queue}: it is permanent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_that_says_nothing_runs_out_of_time_and_the_next_attempt_goes_on_where_it_was() {
    let mut hub = Hub::start().await;
    let workers = Language::ALL.map(|language| hub.worker(language, language.name(), &["LEASE=6"]));
    for queue in Language::ALL.map(Language::name) {
        let plan = json!({"name": "a", "steps": 40, "ms": 50, "hangs_at": 4});
        hub.limited_call(queue, "work", queue, plan, Some(4_000)).await;
    }
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        worker.says("begun a at 4").await;
        assert_eq!(hub.result(queue).await["attempt"], 2, "{queue}: it speaks again, for longer than its limit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_instance_ends_what_it_asked_for_within_seconds_and_leaves_nothing() {
    let mut hub = Hub::start().await;
    let workers = Language::ALL.map(|language| hub.worker(language, language.name(), &["LEASE=60"]));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.call(queue, "work", queue, long("a")).await;
        worker.says("begun a").await;
    }
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.is_told_of_progress(queue).await;
        hub.terminate(queue).await;
        let since = Instant::now();
        worker.says("left a").await;
        println!("{queue}: left {} ms after the terminate", since.elapsed().as_millis());
        assert!(since.elapsed() < Duration::from_secs(5), "{queue}: {:?}", since.elapsed());
    }
    for (language, mut worker) in Language::ALL.into_iter().zip(workers) {
        assert!(worker.stop().await.success(), "{language:?}");
        assert_eq!(hub.waiting(language.name()).await, 0, "{language:?}: neither ready nor held");
    }
}

/// H8: the broker takes its work item back at once, and another language goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h8_what_a_killed_worker_ran_is_begun_at_once_by_the_next_and_goes_on_where_it_was() {
    let mut hub = Hub::start().await;
    let mut workers = Language::ALL.map(|language| hub.worker(language, language.name(), &["LEASE=120"]));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&mut workers) {
        let plan = json!({"name": "a", "steps": 60, "ms": 100});
        hub.call(queue, "work", queue, plan).await;
        hub.is_told_of_progress(queue).await;
        worker.kill();
    }
    let [pika, aio, node] = Language::ALL;
    for (language, other) in [(pika, aio), (aio, node), (node, pika)] {
        let queue = language.name();
        let next = hub.worker(other, queue, &[]);
        let took = goes_on(&next, "a").await;
        assert!(took < Duration::from_secs(30), "{queue}: {took:?} is not its lease");
        let result = hub.result(queue).await;
        assert_eq!((&result["attempt"], &result["by"]), (&json!(1), &json!(other.name())), "{queue}: {result}");
    }
}

/// H18: it was begun after a worker had died of it, perhaps, and that one has died too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h18_what_may_have_killed_two_workers_is_begun_by_one_that_is_never_idle() {
    let mut hub = Hub::start().await;
    for queue in Language::ALL.map(Language::name) {
        hub.call(queue, "work", queue, long("a")).await;
    }
    for _ in 0..2 {
        let mut workers = Language::ALL.map(|language| hub.worker(language, language.name(), &[]));
        for worker in &mut workers {
            eventually("it is begun", || async { !begun(worker, "a").is_empty() }).await;
            worker.kill();
        }
    }
    for queue in Language::ALL.map(Language::name) {
        // Longer than any test.
        hub.call(&format!("{queue}-b"), "work", queue, json!({"name": "b", "steps": 6000, "ms": 100})).await;
    }
    let workers = Language::ALL.map(|language| hub.worker(language, language.name(), &["ALONE=8"]));
    for worker in &workers {
        eventually("the other is begun", || async { !begun(worker, "b").is_empty() }).await;
        eventually("it is begun again", || async { !begun(worker, "a").is_empty() }).await;
        assert!(worker.log().find("begun b") < worker.log().find("begun a"), "{}", worker.log());
    }
}

/// H7: the broker could not hold its work item for so long; the owner sends it again once the lease is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_a_killed_worker_had_acknowledged_is_begun_after_its_lease() {
    let mut hub = Hub::start().await;
    let settings = ["HOLD=0", "LEASE=6", "AT_ONCE=1"];
    let mut workers = Language::ALL.map(|language| hub.worker(language, language.name(), &settings));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&mut workers) {
        hub.call(queue, "work", queue, long("a")).await;
        hub.is_told_of_progress(queue).await;
        eventually("its work item is acknowledged", || async { hub.free_slots(queue).await == 0 }).await;
        hub.call(&format!("{queue}-b"), "work", queue, long("b")).await;
        eventually("the next one waits", || async { hub.waiting(queue).await == 1 }).await;
        worker.kill();
        assert!(begun(worker, "b").is_empty(), "{queue}: its only slot was taken");
    }
    for language in Language::ALL {
        let next = hub.worker(language, language.name(), &[]);
        next.says("begun b at 0").await;
        goes_on(&next, "a").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_stopped_ends_what_is_short_and_hands_back_what_is_long() {
    stops(&["LEASE=600", "GRACE=4"], 4).await;
}

/// H7: nothing is left to give back to the broker; the owner sends it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_a_worker_that_is_stopped_hands_back_what_it_had_acknowledged() {
    stops(&["LEASE=600", "GRACE=4", "HOLD=0"], 3).await;
}

/// Workers are stopped in the midst of something long and of something short. Their leases would be over only after the
/// test.
async fn stops(settings: &[&str], slots: u32) {
    let mut hub = Hub::start().await;
    let mut workers = Language::ALL.map(|language| hub.worker(language, language.name(), settings));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.call(&format!("long-{queue}"), "work", queue, long("a")).await;
        hub.is_told_of_progress(&format!("long-{queue}")).await;
        eventually("its slot is taken or free", || async { hub.free_slots(queue).await == slots }).await;
        hub.call(&format!("short-{queue}"), "work", queue, json!({"name": "b", "steps": 20, "ms": 100})).await;
        worker.says("begun b").await;
    }
    let stopped = join_all(workers.iter_mut().map(Process::stop)).await;
    assert!(stopped.iter().all(ExitStatus::success), "{stopped:?}");
    for language in Language::ALL {
        let queue = language.name();
        assert_eq!(hub.result(&format!("short-{queue}")).await["attempt"], 1, "{queue}: it was given the time");
        let next = hub.worker(language, queue, &[]);
        goes_on(&next, "a").await;
        assert!(begun(&next, "b").is_empty(), "{queue}: it was answered and acknowledged");
    }
}

/// H7: its work item comes again, and is tied to what runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_a_lost_connection_ends_nothing_that_runs() {
    let mut hub = Hub::start().await;
    let proxy = Proxy::start().await;
    let workers = Language::ALL.map(|language| hub.worker_by(proxy.url(), language, language.name(), &["LEASE=60"]));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.call(queue, "work", queue, json!({"name": "a", "steps": 80, "ms": 100})).await;
        worker.says("begun a").await;
    }
    proxy.cut();
    for (language, mut worker) in Language::ALL.into_iter().zip(workers) {
        let queue = language.name();
        worker.says("again in a second").await;
        assert_eq!(hub.result(queue).await["attempt"], 1, "{queue}");
        assert_eq!(begun(&worker, "a").len(), 1, "{queue}: {}", worker.log());
        assert!(worker.stop().await.success(), "{queue}");
        assert_eq!(hub.waiting(queue).await, 0, "{queue}: neither ready nor held");
    }
}

/// H7: the broker gives its work item to another worker, whose question is answered with `drop`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_what_runs_past_a_lost_connection_is_not_begun_by_another_worker() {
    let mut hub = Hub::start().await;
    let proxy = Proxy::start().await;
    let workers = Language::ALL.map(|language| hub.worker_by(proxy.url(), language, language.name(), &["LEASE=60"]));
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.call(queue, "work", queue, json!({"name": "a", "steps": 120, "ms": 100})).await;
        worker.says("begun a").await;
        hub.is_told_of_progress(queue).await;
    }
    let mut others = Language::ALL.map(|language| hub.worker(language, language.name(), &[]));
    for queue in Language::ALL.map(Language::name) {
        eventually(&format!("both serve {queue}"), || async { hub.free_slots(queue).await == 8 }).await;
    }
    proxy.cut();
    for ((language, worker), other) in Language::ALL.into_iter().zip(&workers).zip(&mut others) {
        let queue = language.name();
        assert_eq!(hub.result(queue).await["attempt"], 1, "{queue}");
        assert_eq!(begun(worker, "a").len(), 1, "{queue}: {}", worker.log());
        assert!(other.stop().await.success(), "{queue}");
        assert!(begun(other, "a").is_empty(), "{queue}: {}", other.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_languages_and_rust_share_a_queue() {
    let mut hub = Hub::start().await;
    hub.inside.settings.worker.concurrency = 4;
    hub.inside.worker();
    let _workers = Language::ALL.map(|language| hub.worker(language, SHARED, &[]));
    eventually("all of them serve", || async { hub.free_slots(SHARED).await == 1 + 3 * 4 }).await;
    for number in 0..CALLS {
        hub.call(&number.to_string(), "work", SHARED, json!({"name": number, "steps": 2, "ms": 50})).await;
    }
    let mut served = BTreeMap::new();
    for number in 0..CALLS {
        let by = hub.result(&number.to_string()).await["by"].as_str().unwrap().to_owned();
        *served.entry(by).or_insert(0) += 1;
    }
    assert_eq!(served.keys().collect::<Vec<_>>(), ["aio", "node", "pika", "rust"], "{served:?}");
}

/// Somebody has tried it by hand, or has cleaned up: neither may keep a worker from its work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_goes_to_the_dead_queue_and_a_deleted_queue_is_served_again() {
    let mut hub = Hub::start().await;
    let workers = Language::ALL.map(|language| hub.worker(language, language.name(), &[]));
    let plan = json!({"name": "a", "steps": 1, "ms": 1});
    for (queue, worker) in Language::ALL.map(Language::name).into_iter().zip(&workers) {
        hub.call(&format!("before-{queue}"), "work", queue, plan.clone()).await;
        hub.result(&format!("before-{queue}")).await;
        hub.amqp.publish("", &hub.queue(queue), b"by hand", BasicProperties::default()).await;
        let dead = hub.amqp.get(&format!("{}.dead", hub.inside.settings.hub.name)).await;
        assert_eq!(dead.data, b"by hand", "{queue}");
        let troubles = || worker.log().matches("again in a second").count();
        let before = troubles();
        hub.amqp.delete(&hub.queue(queue)).await;
        // A quorum queue that is there again before that keeps what it delivers to itself (RabbitMQ 3.10).
        eventually(&format!("{queue} notices"), || async { troubles() > before }).await;
        hub.call(&format!("after-{queue}"), "work", queue, plan.clone()).await;
    }
    for queue in Language::ALL.map(Language::name) {
        hub.result(&format!("after-{queue}")).await;
    }
}
