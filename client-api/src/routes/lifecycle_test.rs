//! Commands to an instance that exists: raise, terminate, suspend, resume.

use axum::http::Method;
use serde_json::json;
use warren_model::{Command, Refusal, RefusalCode, Status};

use crate::testing::{Stack, body, problem};

#[tokio::test]
async fn each_command_says_what_it_was_given_and_answers_how_the_instance_stands() {
    let mut stack = Stack::start().await;
    let input = warren_model::Payload::from_bytes(br#"{"approved":true}"#).unwrap();
    let why = || Some("a reason".to_owned());
    for (path, json, expected) in [
        (
            "raiseEvent/approval",
            r#"{"approved":true}"#,
            Command::Raise { event: "approval".into(), input, keep_unseen: false },
        ),
        ("terminate?reason=a+reason", "", Command::Terminate { reason: why(), recursive: true }),
        ("terminate?recursive=false", "", Command::Terminate { reason: None, recursive: false }),
        ("suspend?reason=a%20reason", "", Command::Suspend { reason: why() }),
        ("resume", "", Command::Resume { reason: None }),
    ] {
        let (reply, command) = stack.post_accepted(&format!("/api/v1/instances/order-7/{path}"), json).await;
        assert_eq!((command.instance.as_str(), &command.command), ("order-7", &expected));
        assert_eq!(body(&reply, 202), json!({"instanceId": "order-7", "runtimeStatus": "Running"}));
    }
}

#[tokio::test]
async fn what_the_owner_refuses_has_its_status() {
    let mut stack = Stack::start().await;
    for path in ["raiseEvent/approval", "terminate", "suspend", "resume"] {
        for (code, status, name) in [(RefusalCode::NotFound, 404, "not_found"), (RefusalCode::Gone, 410, "gone")] {
            let path = format!("/api/v1/instances/order-7/{path}");
            let post = stack.http.post(&path, &[], vec![]);
            let serve = async {
                let command = stack.owner.next().await;
                stack.owner.answer(&command, Err(Refusal { code, message: "says the owner".into() })).await;
            };
            let (reply, ()) = tokio::join!(post, serve);
            assert_eq!(problem(&reply.unwrap(), status, name), "says the owner");
        }
    }
}

#[tokio::test]
async fn the_idempotency_key_becomes_the_message_id() {
    let mut stack = Stack::start().await;
    let headers = [("idempotency-key", "key-1")];
    let post = stack.http.post("/api/v1/instances/order-7/raiseEvent/approval", &headers, "1".into());
    let (reply, command) = tokio::join!(post, stack.owner.accept_next(Status::Running));
    assert_eq!((reply.unwrap().status.as_u16(), command.id.as_str()), (202, "key-1"));
}

#[tokio::test]
async fn an_event_says_that_it_is_json_unless_it_is_empty() {
    let mut stack = Stack::start().await;
    let path = "/api/v1/instances/order-7/raiseEvent/approval";
    for headers in [&[][..], &[("content-type", "text/plain")]] {
        let reply = stack.http.call(Method::POST, path, headers, "1".into()).await.unwrap();
        let told = problem(&reply, 400, "invalid");
        assert!(told.ends_with("expected application/json (with curl: --json DATA)"), "{told}");
    }
    for (content_type, json) in
        [("application/json; charset=utf-8", "1"), ("application/cloudevents+json", "1"), ("text/plain", "")]
    {
        let headers = [("content-type", content_type)];
        let post = stack.http.call(Method::POST, path, &headers, json.into());
        let (reply, _) = tokio::join!(post, stack.owner.accept_next(Status::Running));
        assert_eq!(reply.unwrap().status.as_u16(), 202, "{content_type}");
    }
    let told = problem(&stack.post(path, "{").await, 400, "invalid");
    assert_eq!(told, "the body is not JSON: EOF while parsing an object at line 1 column 1");
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let stack = Stack::start().await;
    let told = problem(&stack.post("/api/v1/instances/order-7/terminate?recursive=yes", "").await, 400, "invalid");
    assert_eq!(told, "query parameter recursive is \"yes\": expected true or false");
}
