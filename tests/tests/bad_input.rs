//! Whatever is sent to a fleet, it is told what is wrong with it, and nothing else is lost or blocked.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use end_to_end::{Amqp, Fleet, eventually};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;

/// Shows that the fleet still works.
async fn still_works(fleet: &Fleet, id: &str) {
    let reply = fleet.post(&format!("/orchestrators/hello/{id}"), "\"you\"").await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    assert_eq!(fleet.wait(id).await["runtimeStatus"], "Completed");
}

/// Sends a request that is refused; the status and a part of the text are as expected.
async fn refused(fleet: &Fleet, path: &str, body: &str, status: u16, says: &str) {
    let reply = fleet.post(path, body).await;
    let text = reply.text();
    assert_eq!(reply.status, status, "POST {path}: {text}");
    assert!(text.contains(says), "POST {path}: {says:?} is not in {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_says_what_is_wrong_with_a_request() {
    let fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    refused(&fleet, "/orchestrators/hello", "{\"a\":", 400, "line 1").await;
    let long = "x".repeat(129);
    refused(&fleet, &format!("/orchestrators/hello/{long}"), "1", 400, "at most 128").await;
    refused(&fleet, "/orchestrators/hello/a%0Ab", "1", 400, "printable ASCII").await;
    refused(&fleet, "/orchestrators/hello/@cart", "1", 400, "reserved for entities").await;
    refused(&fleet, "/instances/nobody/raiseEvent/go", "1", 404, "no instance nobody").await;
    refused(&fleet, "/instances/nobody/terminate", "", 404, "no instance nobody").await;

    still_works(&fleet, "one").await;
    refused(&fleet, "/orchestrators/hello/one", "\"you\"", 409, "exists already").await;
    refused(&fleet, "/instances/one/raiseEvent/go", "1", 410, "has ended").await;
    refused(&fleet, "/instances/one/suspend", "", 410, "has ended").await;
    still_works(&fleet, "two").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_orchestrator_waits_and_its_sender_is_warned() {
    let fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    let reply = fleet.post("/orchestrators/helo/typo", "1").await;
    assert_eq!(reply.status, 202);
    assert!(reply.json::<Value>().unwrap()["warning"].as_str().unwrap().contains("`hello`"), "{}", reply.text());
    let status: Value = fleet.get("/instances/typo").await.json().unwrap();
    assert_eq!(status["runtimeStatus"], "Pending");
    assert_eq!(status["condition"]["kind"], "unknown_orchestrator", "{status}");
    let reply = fleet.post("/instances/typo/terminate?reason=typo", "").await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    assert_eq!(fleet.wait("typo").await["runtimeStatus"], "Terminated");
    still_works(&fleet, "one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_of_the_wrong_shape_fails_with_the_field_and_the_type() {
    let fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    fleet.post("/orchestrators/volume/v", r#"{"length": 1, "width": "wide", "height": 1}"#).await;
    let status = fleet.wait("v").await;
    assert_eq!(status["runtimeStatus"], "Failed");
    assert_eq!(status["failure"]["code"], "invalid_input");
    let message = status["failure"]["message"].as_str().unwrap();
    assert!(message.contains("width") && message.contains("f64"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_makes_no_sense_goes_to_the_dead_queue_with_the_reason() {
    let fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    let amqp = Amqp::connect().await;
    let ingress = format!("{}.ingress", fleet.hub);
    amqp.publish(&ingress, "start.hello", b"no json", BasicProperties::default()).await;
    assert_eq!(fleet.dead(&amqp).await.1, b"no json");
    amqp.publish(&ingress, "start.hello", b"1", BasicProperties::default().with_message_id("a\nb".into())).await;
    assert!(fleet.dead(&amqp).await.0.contains("message"));
    let theirs = BasicProperties::default().with_reply_to(format!("{}.control.00", fleet.hub).into());
    amqp.publish(&ingress, "start.hello", b"1", theirs).await;
    assert!(fleet.dead(&amqp).await.0.contains("reply_to"), "an answer may not go to a queue of the hub");

    let mut instance = FieldTable::default();
    instance.insert("instance-id".into(), AMQPValue::LongString("x".into()));
    for partition in 0..4 {
        let control = format!("{}.control.{partition:02}", fleet.hub);
        let token = BasicProperties::default().with_correlation_id("nobody.waits".into());
        amqp.publish("", &control, b"1", token).await;
        assert!(fleet.dead(&amqp).await.0.contains("token"), "a reply that nobody waits for");
        amqp.publish(
            "",
            &control,
            b"1",
            BasicProperties::default()
                .with_type("dance".into())
                .with_message_id("d".into())
                .with_headers(instance.clone()),
        )
        .await;
        let says = if partition == 1 { "dance" } else { "belongs to partition 01" }; // where `x` lives
        let reason = fleet.dead(&amqp).await.0;
        assert!(reason.contains(says), "{reason}");
        let pack = BasicProperties::default().with_content_type("application/vnd.warren.pack.v1".into());
        amqp.publish("", &control, &[0, 0, 0, 9, 1], pack).await;
        let (reason, body) = fleet.dead(&amqp).await;
        assert!(reason.contains("the pack ends within a message: 13 bytes are announced, 5 are there"), "{reason}");
        assert_eq!(body, [0, 0, 0, 9, 1]);
    }
    still_works(&fleet, "one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_broker_address_or_password_is_said_and_tried_again() {
    let mut fleet = Fleet::empty();
    for (name, url, says) in [
        ("orchestrator", "amqp://127.0.0.1:1", "127.0.0.1:1"),
        ("worker-1", "amqp://guest:wrong@127.0.0.1:1", "127.0.0.1:1"),
        ("api", "amqp://127.0.0.1:1", "127.0.0.1:1"),
    ] {
        fleet.spawn(name, &[("broker.url", url)]).says(says).await;
    }
    let denied = end_to_end::amqp_url().replace("guest:guest", "guest:sesame");
    fleet.spawn("worker-2", &[("broker.url", &denied)]).says("ACCESS_REFUSED").await;
    for name in ["orchestrator", "worker-1", "worker-2"] {
        let reply = fleet.http(name).get("/health/ready").await.unwrap();
        assert_eq!(reply.status, 503, "{name}: {}", reply.text());
        let log = fleet.process(name).log();
        assert!(!log.contains("wrong") && !log.contains("sesame"), "{name} shows a password: {log}");
        assert!(fleet.process_mut(name).stop().await.success(), "{name} stops politely although it has no broker");
    }
    let reply = fleet.post("/orchestrators/hello", "1").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after").is_some()), (503, true), "{}", reply.text());
}

/// Starts a process that must give up, and checks what it says.
async fn gives_up(fleet: &mut Fleet, name: &str, settings: &[(&str, &str)], says: &[&str]) {
    let process = fleet.spawn(name, settings);
    assert!(!process.ended().await.success());
    let log = process.log();
    for part in says {
        assert!(log.contains(part), "{part:?} is not in the log:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_makes_no_sense_ends_the_process_with_the_remedy() {
    let mut fleet = Fleet::empty();
    gives_up(&mut fleet, "orchestrator", &[("broker.ulr", "x")], &["broker.ulr", "broker.url"]).await;
    gives_up(&mut fleet, "worker-1", &[("worker.concurrency", "many")], &["worker.concurrency"]).await;
    gives_up(&mut fleet, "api", &[("hub.partitions", "0")], &["hub.partitions"]).await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    gives_up(&mut fleet, "orchestrator", &[("health.orchestrator", &address)], &[&address, "health.orchestrator"])
        .await;
    gives_up(&mut fleet, "api", &[("client_api.listen", &address)], &[&address, "client_api.listen"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_the_hubs_is_refused_by_name() {
    let mut fleet = Fleet::empty();
    let text = fleet.folder().join("notes.txt");
    std::fs::write(&text, "these are notes and no database, however long they may become in time ".repeat(20)).unwrap();
    let url = format!("sqlite:{}", text.display());
    gives_up(&mut fleet, "orchestrator", &[("store.url", &url)], &["notes.txt", "it is no SQLite database"]).await;
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("these are notes"), "the file is left as it was");

    fleet.spawn("orchestrator", &[]);
    fleet.ready("orchestrator").await;
    gives_up(&mut fleet, "orchestrator-2", &[], &["another orchestrator-svc uses", "hub.db"]).await;
    assert!(fleet.process_mut("orchestrator").stop().await.success());
    let hub = fleet.hub.clone();
    gives_up(&mut fleet, "orchestrator-3", &[("hub.name", "other")], &["other", &hub]).await;
    gives_up(&mut fleet, "orchestrator-4", &[("hub.partitions", "7")], &["7", "4"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orchestrator_svc_that_is_denied_the_ingress_is_not_ready_and_names_the_queue() {
    let amqp = Amqp::connect().await;
    let mut fleet = Fleet::empty();
    let ingress = format!("{}.ingress", fleet.hub);
    amqp.declare(&ingress).await;
    let held = amqp.hold(&ingress).await;
    fleet.spawn("orchestrator", &[]);
    let http = fleet.http("orchestrator");
    let names_it = || async {
        let Ok(ready) = http.get("/health/ready").await else { return false };
        let checks: Value = ready.json().unwrap();
        let told = checks["checks"]["ingress"].as_str().unwrap();
        ready.status == 503
            && told.starts_with(&format!("queue {ingress} can't be read: "))
            && told.contains("ACCESS_REFUSED")
    };
    eventually("readiness names the queue", names_it).await;
    drop(held);
    fleet.ready("orchestrator").await;
}
