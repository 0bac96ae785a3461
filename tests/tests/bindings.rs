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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_whose_bindings_make_no_sense_ends_by_name() {
    let mut fleet = Fleet::empty();
    fleet.configure("api", "[bindings.hook]\nkind = \"http\"\npath = \"/hooks/boxes\"\nstart = \"volume\"\n");
    let api = fleet.spawn("api", &[]);
    assert!(!api.ended().await.success());
    api.says("bindings.hook.authentication = \"\", must be one of: bearer, hmac, none, stripe").await;
}
