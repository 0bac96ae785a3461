//! Bindings: what other systems send as they like starts orchestrations, through real processes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use end_to_end::{Amqp, Fleet, eventually};
use lapin::BasicProperties;
use serde_json::json;

fn settings(queue: &str) -> String {
    format!(
        r#"
[bindings.hook]
kind = "http"
path = "/hooks/boxes"
authentication = "bearer"
secret = "{{env:PATH}}"
start = "volume"
instance = "{{/id}}"
input = "/box"

[bindings.boxes]
kind = "queue"
queue = "{queue}"
start = "volume"
instance = "{{/id}}"
input = "/box"
dead_letter = "{queue}-aside"
"#
    )
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

/// Returns what a client-api has counted of its binding.
async fn counted(fleet: &Fleet, api: &str, metric: &str) -> usize {
    let page = fleet.http(api).get("/metrics").await.unwrap().text();
    let line = page.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

async fn accepted(fleet: &Fleet, api: &str) -> usize {
    counted(fleet, api, r#"warren_binding_messages_total{binding="boxes",result="accepted"}"#).await
}

/// Returns the statuses of all instances.
async fn instances(fleet: &Fleet) -> Vec<String> {
    let reply = fleet.http("api-2").get("/api/v1/instances?top=1000").await.unwrap();
    let instances: Vec<serde_json::Value> = reply.json().unwrap();
    instances.iter().map(|instance| instance["runtimeStatus"].as_str().unwrap().to_owned()).collect()
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
    let publish = async |count: usize| {
        for number in 0..count {
            let body = format!(r#"{{"length": {}, "width": 3, "height": 4}}"#, number + 1);
            amqp.publish("", &queue, body.as_bytes(), BasicProperties::default()).await;
        }
    };
    publish(STREAMED / 2).await;
    for api in ["api-1", "api-2"] {
        fleet.configure(api, &stream(&queue));
        fleet.spawn(api, &[]);
        // The first to ask for the stream is the one that reads.
        let http = fleet.http(api);
        let asks = || async {
            let ready = http.get("/health/ready").await;
            ready.is_ok_and(|ready| ready.text().contains(r#""bindings":"ok""#))
        };
        eventually("it asks for the stream", asks).await;
    }
    let has_begun = || async { accepted(&fleet, "api-1").await >= 20 };
    eventually("the first client-api reads", has_begun).await;

    fleet.process("orchestrator").pause();
    amqp.publish("", &queue, b"no json", BasicProperties::default()).await;
    publish(STREAMED / 2).await;
    fleet.process_mut("api-1").kill();
    fleet.process("orchestrator").go_on();
    let have_ended = || async {
        let all = instances(&fleet).await;
        all.len() >= STREAMED && all.iter().all(|status| status == "Completed")
    };
    eventually("every message has started its instance", have_ended).await;
    assert_eq!(instances(&fleet).await.len(), STREAMED, "and only one");
    assert_eq!(amqp.get(&aside).await.data, b"no json");
    let offset = r#"warren_binding_stream_offset{binding="boxes"}"#;
    let is_through = || async { counted(&fleet, "api-2", offset).await == STREAMED + 1 };
    eventually("the place is behind the last message", is_through).await;

    assert!(fleet.process_mut("api-2").stop().await.success());
    publish(1).await;
    fleet.spawn("api-2", &[]);
    fleet.ready("api-2").await;
    let goes_on = || async { instances(&fleet).await.len() == STREAMED + 1 };
    eventually("what came meanwhile is read", goes_on).await;
    eventually("it is counted", || async { accepted(&fleet, "api-2").await > 0 }).await;
    assert_eq!(accepted(&fleet, "api-2").await, 1, "nothing is read again");
    assert!(fleet.process_mut("api-2").stop().await.success());
    for queue in [&queue, &aside] {
        amqp.delete(queue).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_whose_bindings_make_no_sense_ends_by_name() {
    let mut fleet = Fleet::empty();
    fleet.configure("api", "[bindings.hook]\nkind = \"http\"\npath = \"/hooks/boxes\"\nstart = \"volume\"\n");
    let api = fleet.spawn("api", &[]);
    assert!(!api.ended().await.success());
    api.says("bindings.hook.authentication = \"\", must be one of: bearer, hmac, none, stripe").await;
}
