use axum::http::Method;
use serde_json::json;
use warren_client::testing::view;
use warren_model::{Command, Refusal, RefusalCode, Status};

use crate::{
    http_client::Reply,
    testing::{Stack, body, problem},
};

async fn delete(stack: &Stack, path: &str, headers: &[(&str, &str)]) -> Reply {
    stack.http.call(Method::DELETE, path, headers, vec![]).await.unwrap()
}

#[tokio::test]
async fn an_instance_is_purged_under_the_idempotency_key() {
    let mut stack = Stack::start().await;
    let http = stack.http.clone();
    let path = "/runtime/webhooks/durabletask/Instances/order-7";
    let delete = http.call(Method::DELETE, path, &[("idempotency-key", "k1")], vec![]);
    let (reply, command) = tokio::join!(delete, stack.owner.accept_next(Status::Completed));
    assert_eq!(body(&reply.unwrap(), 200), json!({"instancesDeleted": 1}));
    assert_eq!((command.id.as_str(), command.command), ("k1", Command::Purge { execution: None }));
}

#[tokio::test]
async fn h12_what_can_t_be_purged_is_told_why() {
    let mut stack = Stack::start().await;
    for (code, status, name) in [(RefusalCode::NotFound, 404, "not_found"), (RefusalCode::Running, 409, "running")] {
        let http = stack.http.clone();
        let delete = http.call(Method::DELETE, "/api/v1/instances/order-7", &[], vec![]);
        let serve = async {
            let command = stack.owner.next().await;
            stack.owner.answer(&command, Err(Refusal { code, message: "says the owner".into() })).await;
        };
        let (reply, ()) = tokio::join!(delete, serve);
        assert_eq!(problem(&reply.unwrap(), status, name), "says the owner");
    }
}

#[tokio::test]
async fn many_are_purged_by_the_parameters_of_a_list() {
    let mut stack = Stack::start().await;
    for (id, status, created) in
        [("a", Status::Completed, 1), ("b", Status::Running, 2), ("c", Status::Failed, 3), ("d", Status::Completed, 9)]
    {
        stack.queries.put(view(id, status, created), vec![]);
    }
    let http = stack.http.clone();
    let path = "/api/v1/instances?createdTimeFrom=2025-01-01T00:00:00Z&createdTimeTo=2025-01-01T00:00:05Z&top=1";
    let delete = http.call(Method::DELETE, path, &[], vec![]);
    let serve = async {
        let mut purged = Vec::new();
        for _ in 0..2 {
            let command = stack.owner.accept_next(Status::Completed).await;
            assert!(matches!(command.command, Command::Purge { execution: Some(_) }), "as it was seen");
            purged.push(command.instance.to_string());
        }
        purged
    };
    let (reply, purged) = tokio::join!(delete, serve);
    let reply = reply.unwrap();
    assert_eq!(body(&reply, 200), json!({"instancesDeleted": 2, "isComplete": true}));
    assert_eq!((purged, reply.header("x-ms-continuation-token")), (vec!["c".into(), "a".into()], Some("")));
}

#[tokio::test]
async fn what_the_time_does_not_suffice_for_is_left_to_the_next_request() {
    let mut stack = Stack::start().await;
    for n in 0..3 {
        stack.queries.put(view(&format!("i{n}"), Status::Completed, n), vec![]);
    }
    let http = stack.http.clone();
    let path = "/api/v1/instances?createdTimeFrom=2025-01-01&top=2&timeout=0";
    let delete = http.call(Method::DELETE, path, &[], vec![]);
    let serve = async {
        stack.owner.accept_next(Status::Completed).await;
        stack.owner.accept_next(Status::Completed).await;
    };
    let (reply, ()) = tokio::join!(delete, serve);
    let reply = reply.unwrap();
    assert_eq!(body(&reply, 200), json!({"instancesDeleted": 2, "isComplete": false}));
    let next = [("x-ms-continuation-token", reply.header("x-ms-continuation-token").unwrap())];
    let delete = http.call(Method::DELETE, path, &next, vec![]);
    let (reply, command) = tokio::join!(delete, stack.owner.accept_next(Status::Completed));
    assert_eq!(body(&reply.unwrap(), 200), json!({"instancesDeleted": 1, "isComplete": true}));
    assert_eq!(command.instance.as_str(), "i0");
}

#[tokio::test]
async fn a_purge_of_many_says_from_when_and_finds_something() {
    let stack = Stack::start().await;
    let told = problem(&delete(&stack, "/api/v1/instances", &[]).await, 400, "invalid");
    assert!(told.contains("createdTimeFrom is missing"), "{told}");
    for path in [
        "/api/v1/instances?createdTimeFrom=2025-01-01",
        "/api/v1/instances?createdTimeFrom=2025-01-01&runtimeStatus=Running",
        "/api/v1/instances?createdTimeFrom=2025-01-01&runtimeStatus=Canceled",
    ] {
        problem(&delete(&stack, path, &[]).await, 404, "not_found");
    }
}
