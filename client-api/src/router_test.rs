//! What no single handler is responsible for: unknown routes, request ids, health, the hub.

use axum::http::Method;
use serde_json::json;
use warren_client::testing::view;
use warren_model::Status;

use crate::testing::{Stack, body, problem};

#[tokio::test]
async fn an_unknown_route_gets_a_hint() {
    let stack = Stack::start().await;
    let told = problem(&stack.get("/api/v1/instance/order-7").await, 404, "no_route");
    assert!(
        told.starts_with("GET /api/v1/instance/order-7 is no route of this API: the routes under /api/v1 are"),
        "{told}"
    );
    assert!(told.contains("GET /instances/{id}"), "{told}");
    let told = problem(&stack.get("/").await, 404, "no_route");
    assert!(told.contains("/api/v1") && told.contains("/health/ready"), "{told}");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let stack = Stack::start().await;
    for (method, path, allow) in [
        (Method::GET, "/api/v1/orchestrators/order", "POST"),
        (Method::PUT, "/api/v1/instances/order-7", "GET,HEAD,DELETE"),
        (Method::POST, "/runtime/webhooks/durabletask/instances", "GET,HEAD,DELETE"),
        (Method::GET, "/api/v1/instances/order-7/terminate", "POST"),
    ] {
        let reply = stack.http.call(method.clone(), path, &[], vec![]).await.unwrap();
        let told = problem(&reply, 405, "no_method");
        assert!(told.starts_with(&format!("{method} is not taken by {path}")), "{told}");
        assert_eq!(reply.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_keeps_a_good_one() {
    let stack = Stack::start().await;
    for path in ["/api/v1/hub", "/nowhere", "/health/live", "/api/v1/instances/unknown"] {
        let id = stack.get(path).await.header("x-request-id").unwrap().to_owned();
        assert_eq!(id.len(), 36, "{path}: {id}");
    }
    let long = "r".repeat(129);
    for (given, is_kept) in [("req-1", true), ("with space", false), ("", false), (long.as_str(), false)] {
        let headers = [("x-request-id", given)];
        let reply = stack.http.call(Method::GET, "/api/v1/hub", &headers, vec![]).await.unwrap();
        assert_eq!(reply.header("x-request-id") == Some(given), is_kept, "{given:?}");
    }
}

#[tokio::test]
async fn the_hub_shows_partitions_and_counts() {
    let stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Running, 0), vec![]);
    let expected = json!({
        "hub": "test",
        "partitionCount": 2,
        "partitions": [
            {"partition": 0, "owner": "owner-1", "epoch": 1, "renewals": 7},
            {"partition": 1, "owner": "owner-1", "epoch": 1, "renewals": 7},
        ],
        "replicas": [{"replica": "owner-1", "partitions": 2, "renewals": 7}],
        "instances": {"Pending": 0, "Running": 1, "Suspended": 0, "Completed": 0, "Failed": 0, "Terminated": 0},
        "quarantinedTasks": [],
    });
    assert_eq!(body(&stack.get("/api/v1/hub").await, 200), expected);
}

#[tokio::test]
async fn readiness_says_what_is_away() {
    let stack = Stack::start().await;
    let ready = body(&stack.get("/health/ready").await, 200);
    assert_eq!(ready, json!({"ready": true, "checks": {"broker": "ok", "store": "ok"}}));
    stack.broker.set_down(Some("connection refused"));
    stack.queries.set_away(Some("disk on fire"));
    let checks = json!({"broker": "connection refused", "store": "reach the store: disk on fire"});
    assert_eq!(body(&stack.get("/health/ready").await, 503), json!({"ready": false, "checks": checks}));
    assert_eq!(stack.get("/health/live").await.status.as_u16(), 200);
    stack.broker.set_down(None);
    stack.broker.set_blocked(Some("low on memory"));
    let shown = body(&stack.get("/health/ready").await, 503);
    assert_eq!(shown["checks"]["broker"], "takes no messages at the moment: low on memory");
}
