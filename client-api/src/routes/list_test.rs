use warren_client::testing::view;
use warren_model::{Payload, Status};

use crate::{
    http_client::Reply,
    testing::{Stack, body, problem},
};

async fn filled() -> Stack {
    let stack = Stack::start().await;
    let statuses = [Status::Running, Status::Completed, Status::Failed];
    for (n, status) in (0..7).zip(statuses.into_iter().cycle()) {
        stack.queries.put(view(&format!("order {n} "), status, n), vec![]);
    }
    stack
}

#[track_caller]
fn ids(reply: &Reply) -> Vec<String> {
    let body = body(reply, 200);
    body.as_array().unwrap().iter().map(|instance| instance["instanceId"].as_str().unwrap().to_owned()).collect()
}

/// Ids with spaces at their ends survive the header that chains the pages.
#[tokio::test]
async fn pages_are_chained_by_a_header_and_cover_everything_once() {
    let stack = filled().await;
    let (mut seen, mut token) = (Vec::new(), None::<String>);
    loop {
        let headers: Vec<_> = token.iter().map(|token| ("x-ms-continuation-token", token.as_str())).collect();
        let path = "/api/v1/instances/?top=3";
        let reply = stack.http.call(axum::http::Method::GET, path, &headers, vec![]).await.unwrap();
        seen.extend(ids(&reply));
        token = reply.header("x-ms-continuation-token").filter(|token| !token.is_empty()).map(ToOwned::to_owned);
        if token.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..7).rev().map(|n| format!("order {n} ")).collect();
    assert_eq!(seen, expected, "newest first");
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let stack = filled().await;
    for (query, expected) in [
        ("runtimeStatus=Running", vec!["order 6 ", "order 3 ", "order 0 "]),
        ("runtimeStatus=completed,Failed&top=2", vec!["order 5 ", "order 4 "]),
        ("runtimeStatus=Canceled", vec![]),
        ("instanceIdPrefix=order%206", vec!["order 6 "]),
        ("createdTimeFrom=2025-01-01T00:00:05Z", vec!["order 6 ", "order 5 "]),
        ("createdTimeTo=2025-01-01T00:00:02Z", vec!["order 1 ", "order 0 "]),
        ("name=other", vec![]),
    ] {
        assert_eq!(ids(&stack.get(&format!("/api/v1/instances?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn inputs_and_outputs_are_read_for_those_who_ask() {
    let stack = Stack::start().await;
    let mut done = view("order-7", Status::Completed, 0);
    (done.input, done.outcome) = (Some(Payload::of("in").unwrap()), Some(Ok(Payload::of("out").unwrap())));
    stack.queries.put(done, vec![]);
    let plain = body(&stack.get("/api/v1/instances").await, 200);
    assert!(plain[0]["input"].is_null() && plain[0]["output"].is_null());
    let full = body(&stack.get("/api/v1/instances?showInput=true").await, 200);
    assert_eq!((full[0]["input"].as_str(), full[0]["output"].as_str()), (Some("in"), Some("out")));
}

#[tokio::test]
async fn bad_filters_and_tokens_are_refused() {
    let stack = filled().await;
    for query in ["runtimeStatus=Sleeping", "top=many", "createdTimeFrom=now", "showInput=maybe"] {
        problem(&stack.get(&format!("/api/v1/instances?{query}")).await, 400, "invalid");
    }
    let headers = [("x-ms-continuation-token", "nonsense")];
    let reply = stack.http.call(axum::http::Method::GET, "/api/v1/instances", &headers, vec![]).await.unwrap();
    problem(&reply, 400, "invalid");
}
