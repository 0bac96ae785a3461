//! Bindings: what other systems send as they like starts orchestrations, through real processes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::time::Duration;

use client_api::http_client::HttpClient;
use end_to_end::{Amqp, Fleet, eventually, free_port};
use lapin::BasicProperties;
use serde_json::json;
use warren_model::Status;

/// Requests that start an orchestration.
const HOOK: &str = r#"
[bindings.hook]
kind = "http"
path = "/hooks/boxes"
authentication = "bearer"
secret = "{env:PATH}"
start = "volume"
instance = "{/id}"
input = "/box"
"#;

fn settings(queue: &str) -> String {
    let boxes = format!(
        r#"
[bindings.boxes]
kind = "queue"
queue = "{queue}"
start = "volume"
instance = "{{/id}}"
input = "/box"
dead_letter = "{queue}-aside"
"#
    );
    HOOK.to_owned() + &boxes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_and_a_foreign_queue_start_orchestrations() {
    let amqp = Amqp::connect().await;
    let mut fleet = Fleet::start(&["orchestrator", "worker-1"]).await;
    let queue = format!("{}-boxes", fleet.hub);
    let aside = format!("{queue}-aside");
    amqp.declare(&queue).await;
    amqp.declare(&aside).await;
    fleet.configure("api", &settings(&queue));
    fleet.spawn("api", &[]);
    fleet.ready("api").await;

    let body = |id: &str| format!(r#"{{"id": "{id}", "box": {{"length": 2, "width": 3, "height": 4}}}}"#);
    let token = format!("Bearer {}", std::env::var("PATH").unwrap());
    let hook = fleet.http("api");
    for headers in [&[][..], &[("authorization", &*token)], &[("authorization", &*token)]] {
        let reply = hook.post("/hooks/boxes", headers, body("by-hook").into()).await.unwrap();
        assert_eq!(reply.status, if headers.is_empty() { 401 } else { 202 }, "{}", reply.text());
    }
    assert_eq!(fleet.wait("by-hook").await["output"], json!({"litres": 24000.0}));

    amqp.publish("", &queue, b"no json", BasicProperties::default()).await;
    for _ in 0..2 {
        amqp.publish("", &queue, body("by-queue").as_bytes(), BasicProperties::default()).await;
    }
    assert_eq!(amqp.get(&aside).await.data, b"no json");
    let has_started = || async { fleet.get("/instances/by-queue").await.status != 404 };
    eventually("the message starts its instance", has_started).await;
    assert_eq!(fleet.wait("by-queue").await["output"], json!({"litres": 24000.0}));

    assert!(fleet.process_mut("api").stop().await.success());
    assert_eq!(amqp.count(&queue).await, 0, "every message is acknowledged");
    for queue in [&queue, &aside] {
        amqp.delete(queue).await;
    }
}

const STREAMED: usize = 200;

fn stream(queue: &str) -> String {
    format!(
        r#"
[bindings.boxes]
kind = "stream"
queue = "{queue}"
from = "first"
prefetch = 10
start = "volume"
dead_letter = "{queue}-aside"
"#
    )
}

/// Returns what a process has counted of its binding.
async fn counted(fleet: &Fleet, process: &str, metric: &str) -> usize {
    let page = fleet.http(process).get("/metrics").await.unwrap().text();
    let line = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

async fn accepted(fleet: &Fleet, process: &str) -> usize {
    counted(fleet, process, r#"warren_binding_messages_total{binding="boxes",result="accepted"}"#).await
}

/// Waits until a process takes its bindings' messages, or will when it is its turn.
async fn takes(fleet: &Fleet, process: &str) {
    let http = fleet.http(process);
    let says =
        || async { http.get("/health/ready").await.is_ok_and(|ready| ready.text().contains(r#""bindings":"ok""#)) };
    eventually(&format!("{process} takes messages"), says).await;
}

/// Waits until so many instances are there and all have completed; there are no more.
async fn complete(fleet: &Fleet, count: usize) {
    let have_ended = || async {
        let all = fleet.statuses().await;
        all.len() >= count && all.iter().all(|status| *status == Status::Completed)
    };
    eventually("every message has started its instance", have_ended).await;
    assert_eq!(fleet.statuses().await.len(), count, "and only one");
}

async fn publish_boxes(amqp: &Amqp, queue: &str, count: usize) {
    for number in 0..count {
        let body = format!(r#"{{"length": {}, "width": 3, "height": 4}}"#, number + 1);
        amqp.publish("", queue, body.as_bytes(), BasicProperties::default()).await;
    }
}

/// H1, H7: the ids of the instances are made of the offsets, so one that began twice would be one too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h1_each_message_of_a_stream_starts_one_instance_although_its_reader_is_killed() {
    let amqp = Amqp::connect().await;
    let mut fleet = Fleet::start(&["orchestrator", "worker-1"]).await;
    let queue = format!("{}-boxes", fleet.hub);
    let aside = format!("{queue}-aside");
    amqp.declare_stream(&queue).await;
    amqp.declare(&aside).await;
    let publish = async |count: usize| publish_boxes(&amqp, &queue, count).await;
    publish(STREAMED / 2).await;
    for api in ["api-1", "api-2"] {
        fleet.configure(api, &stream(&queue));
        fleet.spawn(api, &[]);
        // The first to ask for the stream is the one that reads.
        takes(&fleet, api).await;
    }
    let has_begun = || async { accepted(&fleet, "api-1").await >= 20 };
    eventually("the first client-api reads", has_begun).await;

    fleet.process("orchestrator").pause();
    amqp.publish("", &queue, b"no json", BasicProperties::default()).await;
    publish(STREAMED / 2).await;
    fleet.process_mut("api-1").kill();
    fleet.process("orchestrator").go_on();
    complete(&fleet, STREAMED).await;
    assert_eq!(amqp.get(&aside).await.data, b"no json");
    let offset = r#"warren_binding_stream_offset{binding="boxes"}"#;
    let is_through = || async { counted(&fleet, "api-2", offset).await == STREAMED + 1 };
    eventually("the place is behind the last message", is_through).await;

    assert!(fleet.process_mut("api-2").stop().await.success());
    publish(1).await;
    fleet.spawn("api-2", &[]);
    fleet.ready("api-2").await;
    let goes_on = || async { fleet.statuses().await.len() == STREAMED + 1 };
    eventually("what came meanwhile is read", goes_on).await;
    eventually("it is counted", || async { accepted(&fleet, "api-2").await > 0 }).await;
    assert_eq!(accepted(&fleet, "api-2").await, 1, "nothing is read again");
    assert!(fleet.process_mut("api-2").stop().await.success());
    for queue in [&queue, &aside] {
        amqp.delete(queue).await;
    }
}

/// H7: the baton is the same one, whichever service holds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h7_a_stream_is_read_by_one_process_of_either_service() {
    let amqp = Amqp::connect().await;
    let mut fleet = Fleet::empty();
    let queue = format!("{}-boxes", fleet.hub);
    let aside = format!("{queue}-aside");
    amqp.declare_stream(&queue).await;
    amqp.declare(&aside).await;
    for process in ["orchestrator", "api"] {
        fleet.configure(process, &stream(&queue));
        fleet.spawn(process, &[]);
        takes(&fleet, process).await;
    }
    fleet.spawn("worker-1", &[]);
    publish_boxes(&amqp, &queue, 30).await;
    complete(&fleet, 30).await;
    assert_eq!((accepted(&fleet, "orchestrator").await, accepted(&fleet, "api").await), (30, 0));

    assert!(fleet.process_mut("orchestrator").stop().await.success());
    fleet.spawn("orchestrator", &[("orchestrator.take_bindings", "false")]);
    publish_boxes(&amqp, &queue, 30).await;
    complete(&fleet, 60).await;
    assert_eq!(
        (accepted(&fleet, "orchestrator").await, accepted(&fleet, "api").await),
        (0, 30),
        "nothing is read again"
    );

    assert!(fleet.process_mut("orchestrator").stop().await.success());
    fleet.spawn("orchestrator", &[]);
    takes(&fleet, "orchestrator").await;
    fleet.process_mut("api").kill();
    publish_boxes(&amqp, &queue, 30).await;
    complete(&fleet, 90).await;
    for queue in [&queue, &aside] {
        amqp.delete(queue).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_without_client_api_is_fed_from_a_path_a_queue_and_a_stream() {
    let amqp = Amqp::connect().await;
    let mut fleet = Fleet::empty();
    let (queue, streamed) = (format!("{}-parcels", fleet.hub), format!("{}-boxes", fleet.hub));
    let aside = format!("{streamed}-aside");
    let parcels = format!(
        r#"
[bindings.parcels]
kind = "queue"
queue = "{queue}"
dead_letter = "{aside}"
start = "volume"
instance = "parcel-{{/id}}"
input = "/box"
"#
    );
    fleet.configure("orchestrator", &(HOOK.to_owned() + &stream(&streamed) + &parcels));
    amqp.declare(&aside).await;
    amqp.declare_stream(&streamed).await;
    let address = format!("127.0.0.1:{}", free_port());
    for (process, settings) in [("orchestrator", &[("orchestrator.listen", &*address)][..]), ("worker-1", &[])] {
        fleet.spawn(process, settings);
        fleet.ready(process).await;
    }
    let ready = fleet.http("orchestrator").get("/health/ready").await.unwrap().text();
    assert!(ready.contains("ok, but parcels takes no messages: ") && ready.contains(&queue), "{ready}");
    amqp.declare(&queue).await;
    takes(&fleet, "orchestrator").await;

    amqp.publish("", &queue, b"no json", BasicProperties::default()).await;
    for _ in 0..2 {
        let parcel = br#"{"id": 7, "box": {"length": 2, "width": 3, "height": 4}}"#;
        amqp.publish("", &queue, parcel, BasicProperties::default()).await;
    }
    publish_boxes(&amqp, &streamed, 20).await;
    let hook = HttpClient::new(&format!("http://{address}"), Duration::from_secs(30)).unwrap();
    let token = format!("Bearer {}", std::env::var("PATH").unwrap());
    let body = r#"{"id": "by-hook", "box": {"length": 2, "width": 3, "height": 4}}"#;
    for (headers, status) in [(&[][..], 401), (&[("authorization", &*token)], 202)] {
        let reply = hook.post("/hooks/boxes", headers, body.into()).await.unwrap();
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    for path in ["/api/v1/instances", "/metrics"] {
        assert_eq!(hook.get(path).await.unwrap().status, 404, "nothing but the paths of bindings");
    }
    complete(&fleet, 22).await;
    assert!(!fleet.history("parcel-7").await.is_empty());
    assert_eq!(amqp.get(&aside).await.data, b"no json");
    assert_eq!(accepted(&fleet, "orchestrator").await, 20);
    let misfits = r#"warren_binding_messages_total{binding="parcels",result="misfit"}"#;
    assert_eq!(counted(&fleet, "orchestrator", misfits).await, 1);

    assert!(fleet.process_mut("orchestrator").stop().await.success());
    assert_eq!(amqp.count(&queue).await, 0, "every message is acknowledged");
    for queue in [&queue, &streamed, &aside] {
        amqp.delete(queue).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_bindings_make_no_sense_ends_by_name() {
    let mut fleet = Fleet::empty();
    let queue = "[bindings.boxes]\nkind = \"queue\"\nqueue = \"boxes\"\n";
    for (settings, told) in [
        (
            "[bindings.hook]\nkind = \"http\"\npath = \"/hooks/boxes\"\nstart = \"volume\"\n",
            "bindings.hook.authentication = \"\", must be one of: bearer, hmac, none, stripe",
        ),
        (
            &format!("{queue}raise = \"packed\"\n"),
            "bindings.boxes.instance is empty, must say which instance gets the event",
        ),
        (
            &format!("{queue}url = \"{{env:WARREN_NONE_SUCH}}\"\nstart = \"volume\"\n"),
            "bindings.boxes: its setting url needs the environment variable WARREN_NONE_SUCH, which is not set",
        ),
    ] {
        for process in ["api", "orchestrator"] {
            fleet.configure(process, settings);
            let process = fleet.spawn(process, &[]);
            assert!(!process.ended().await.success());
            process.says(told).await;
        }
    }
}
