//! The broker or the database is away, blocked, full or read-only in the middle of the work: client-api accepts nothing
//! that it can't keep, readiness tells the truth, and when it is over everything goes on by itself (H5, H6, H22).
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use end_to_end::{Amqp, Fleet, Server, eventually, orders};
use example_order::sample::Entry;
use futures_util::{
    StreamExt,
    stream::{self, FuturesUnordered},
};
use lapin::BasicProperties;
use serde_json::Value;
use tokio::sync::Mutex;

/// One server of each kind at a time: they take ports, memory and time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The pause between two starts.
const BETWEEN: Duration = Duration::from_millis(500);

const SERVICES: [&str; 3] = ["orchestrator", "worker-1", "api"];

async fn begin(mut fleet: Fleet) -> Fleet {
    for name in SERVICES {
        // Slow enough that there is work on its way when something happens.
        fleet.spawn(name, &[("worker.concurrency", "2")]);
        fleet.ready(name).await;
    }
    fleet
}

/// Starts all but the worker, which is about to begin: work waits for it.
async fn begin_without_worker(mut fleet: Fleet) -> Fleet {
    for name in ["orchestrator", "api"] {
        fleet.spawn(name, &[]);
        fleet.ready(name).await;
    }
    fleet.spawn("worker-1", &[]).pause();
    fleet
}

/// What a service says of its readiness: the status, and the check; nothing before it answers.
async fn readiness(fleet: &Fleet, service: &str, check: &str) -> (u16, String) {
    let Ok(reply) = fleet.http(service).get("/health/ready").await else { return (0, String::new()) };
    let status = reply.status.as_u16();
    let body: Value = reply.json().unwrap_or_else(|_| panic!("{service}: {}", reply.text()));
    (status, body["checks"][check].as_str().unwrap_or_default().to_owned())
}

/// Waits until the service is not ready, for a reason that has one of these words.
async fn not_ready(fleet: &Fleet, service: &str, check: &str, words: &[&str]) {
    eventually(&format!("{service} is not ready: {check} {words:?}"), || async {
        let (status, why) = readiness(fleet, service, check).await;
        status == 503 && words.iter().any(|word| why.contains(word))
    })
    .await;
}

async fn all_ready(fleet: &Fleet) {
    for name in SERVICES {
        fleet.ready(name).await;
    }
}

/// Starts instances, one after the other and without waiting for each, until one is answered 503; before that, 202 (it
/// was taken before the outage showed) and 504 (nobody knows) are as true.
async fn refused(fleet: &Fleet, words: &[&str]) {
    let (mut attempts, mut number) = (FuturesUnordered::new(), 0);
    let answers = async {
        loop {
            attempts.push(start(fleet, number, words));
            number += 1;
            let pause = tokio::time::sleep(BETWEEN);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    Some(is_told) = attempts.next() => if is_told { return },
                    () = &mut pause => break,
                }
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(60), answers).await;
    told.unwrap_or_else(|_| panic!("in vain: a start is answered 503: {words:?}"));
}

/// Starts an instance; returns whether it is refused for one of these reasons.
async fn start(fleet: &Fleet, number: usize, words: &[&str]) -> bool {
    let reply = fleet.post(&format!("/orchestrators/hello/refused-{number}"), "\"you\"").await;
    let (status, text) = (reply.status.as_u16(), reply.text());
    assert!([202, 503, 504].contains(&status), "{text}");
    assert!(reply.header("retry-after").is_some(), "{text}");
    let is_told = words.iter().any(|word| text.contains(word));
    status == 503 && reply.json::<Value>().unwrap()["error"]["code"] == "unavailable" && is_told && {
        assert!(text.contains("nothing was accepted"), "{text}");
        true
    }
}

/// Sends these orders, some at a time, while something happens; then each has ended once, as it should.
async fn under_load(fleet: &Fleet, entries: &[Entry], happens: impl Future<Output = ()>) {
    let sent = AtomicUsize::new(0);
    let send = stream::iter(entries).for_each_concurrent(10, |entry| async {
        orders::send(fleet, entry).await;
        sent.fetch_add(1, Ordering::Relaxed);
    });
    let strike = async {
        eventually("some orders are on their way", || async { sent.load(Ordering::Relaxed) >= entries.len() / 4 })
            .await;
        happens.await;
    };
    tokio::join!(send, strike);
    for entry in entries {
        orders::check(fleet, entry).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h6_every_order_ends_exactly_once_though_the_broker_crashes() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let broker = Server::rabbitmq("outages");
    let fleet = begin(Fleet::on(broker.url())).await;
    let entries = orders::first(100);
    // RabbitMQ 3.10 that is killed within the first second of a queue may never choose a leader for it again.
    let (first, entries) = entries.split_at(20);
    under_load(&fleet, first, std::future::ready(())).await;
    under_load(&fleet, entries, async {
        broker.kill();
        for name in SERVICES {
            not_ready(&fleet, name, "broker", &["127.0.0.1"]).await;
        }
        refused(&fleet, &["broker", "connect"]).await;
        broker.start();
        all_ready(&fleet).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h6_a_broker_in_an_alarm_is_waited_for() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let broker = Server::rabbitmq("outages");
    let fleet = begin_without_worker(Fleet::on(broker.url())).await;
    under_load(&fleet, &orders::first(80), async {
        fleet.process("orchestrator").pause();
        broker.ctl(&["set_vm_memory_high_watermark", "0.0000001"]);
        fleet.process("orchestrator").go_on();
        fleet.process("worker-1").go_on();
        for name in SERVICES {
            not_ready(&fleet, name, "broker", &["takes no messages"]).await;
        }
        refused(&fleet, &["memory", "alarm"]).await;
        let reads = fleet.get("/instances?top=1").await;
        assert_eq!(reads.status, 200, "what is known can be read: {}", reads.text());
        broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
        all_ready(&fleet).await;
    })
    .await;
    // Those who have nothing to say know of it too.
    broker.ctl(&["set_vm_memory_high_watermark", "0.0000001"]);
    for name in SERVICES {
        not_ready(&fleet, name, "broker", &["takes no messages"]).await;
    }
    refused(&fleet, &["memory", "alarm"]).await;
    broker.ctl(&["set_vm_memory_high_watermark", "0.6"]);
    all_ready(&fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h6_a_full_control_queue_is_said_so_and_waited_for() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let broker = Server::rabbitmq("outages");
    let fleet = begin_without_worker(Fleet::on(broker.url())).await;
    let queues = format!(r"^{}\.control\.", fleet.hub);
    under_load(&fleet, &orders::first(80), async {
        let full = r#"{"max-length": 0, "overflow": "reject-publish"}"#;
        broker.ctl(&["set_policy", "full", &queues, full, "--apply-to", "queues"]);
        // Nobody takes anything out, and each queue takes a few messages more. The worker's replies come later.
        fleet.process("orchestrator").pause();
        let amqp = Amqp::connect_to(broker.url()).await;
        for partition in 0..4 {
            let control = format!("{}.control.{partition:02}", fleet.hub);
            amqp.publish("", &control, b"makes no sense", BasicProperties::default()).await;
        }
        refused(&fleet, &["full"]).await;
        fleet.process("worker-1").go_on();
        not_ready(&fleet, "worker-1", "broker", &["takes no messages"]).await;
        let (status, remark) = readiness(&fleet, "api", "broker").await;
        assert!(status == 200 && remark.contains("ok, but queue"), "the rest is of use: {status} {remark}");
        broker.ctl(&["clear_policy", "full"]);
        fleet.process("orchestrator").go_on();
        all_ready(&fleet).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_every_order_ends_exactly_once_though_the_database_crashes() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let database = Server::postgres("outages");
    let fleet = begin(Fleet::empty().stored_in(database.url())).await;
    under_load(&fleet, &orders::first(80), async {
        database.kill();
        for name in ["orchestrator", "api"] {
            not_ready(&fleet, name, "store", &["reach the store"]).await;
        }
        refused(&fleet, &["reach the store"]).await;
        let reads = fleet.get("/instances?top=1").await;
        assert_eq!((reads.status.as_u16(), reads.header("retry-after").is_some()), (503, true), "{}", reads.text());
        assert_eq!(readiness(&fleet, "worker-1", "broker").await.0, 200, "workers need no database");
        database.start();
        all_ready(&fleet).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_is_said_so_and_waited_for() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let database = Server::postgres("outages");
    let fleet = begin(Fleet::empty().stored_in(database.url())).await;
    let set = |value: &str| {
        database.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        database.sql("SELECT pg_reload_conf()");
    };
    under_load(&fleet, &orders::first(40), async {
        set("on");
        for name in ["orchestrator", "api"] {
            not_ready(&fleet, name, "store", &["read-only"]).await;
        }
        refused(&fleet, &["read-only"]).await;
        let reads = fleet.get("/instances?top=1").await;
        assert_eq!(reads.status, 200, "what is known can be read: {}", reads.text());
        set("off");
        all_ready(&fleet).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_connections_is_said_so_and_waited_for() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let database = Server::postgres("outages");
    database.sql("CREATE ROLE tenant LOGIN; GRANT CREATE ON DATABASE warren TO tenant");
    let fleet = begin(Fleet::empty().stored_in(&database.url().replace("warren@", "tenant@"))).await;
    under_load(&fleet, &orders::first(40), async {
        database.sql("ALTER ROLE tenant CONNECTION LIMIT 0");
        database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenant'");
        for name in ["orchestrator", "api"] {
            not_ready(&fleet, name, "store", &["too many connections"]).await;
        }
        refused(&fleet, &["too many connections"]).await;
        database.sql("ALTER ROLE tenant CONNECTION LIMIT -1");
        all_ready(&fleet).await;
    })
    .await;
}

/// Nobody owns the hub any more: to send commands there would only let their senders wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_refused_while_nobody_could_carry_them_out() {
    let mut fleet = begin(Fleet::empty()).await;
    fleet.process_mut("orchestrator").kill();
    let (asked, patience) = (std::time::Instant::now(), Duration::from_secs(10));
    refused(&fleet, &["no orchestrator-svc has renewed a lease"]).await;
    assert!(asked.elapsed() > patience, "a restart or a takeover is waited for");
    fleet.spawn("orchestrator", &[]);
    fleet.ready("orchestrator").await;
    eventually("commands are taken again", || async {
        fleet.post("/orchestrators/hello/again", "\"you\"").await.status == 202
    })
    .await;
    assert_eq!(fleet.wait("again").await["runtimeStatus"], "Completed");
}
