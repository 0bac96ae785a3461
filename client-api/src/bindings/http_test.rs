use serde_json::json;
use warren_model::{Command, Refusal, RefusalCode, Status};
use warren_service::{
    Settings,
    settings::{BindingSettings, MappingSettings},
};

use crate::{
    Bindings,
    http_client::{HttpClient, Reply},
    testing::{Stack, body, problem},
};

use super::*;

/// A hook that starts `build` and one that raises `approved`, both with a bearer token.
async fn stack() -> Stack {
    let hook = |path: &str, mapping: MappingSettings| {
        BindingSettings::Http(HttpBindingSettings {
            path: path.into(),
            authentication: "bearer".into(),
            secret: "{env:PATH}".into(),
            mapping,
            ..HttpBindingSettings::default()
        })
    };
    let build = MappingSettings {
        start: "build".into(),
        version: "2".into(),
        instance: "{/repository}-{header:x-kind}".into(),
        input: "/after".into(),
        message_id: "{header:x-delivery}".into(),
        ..MappingSettings::default()
    };
    let approve =
        MappingSettings { raise: "approved".into(), instance: "{/order}".into(), ..MappingSettings::default() };
    let bindings = [("github", hook("/hooks/github", build)), ("approve", hook("/hooks/approve", approve))];
    let bindings = bindings.into_iter().map(|(name, binding)| (name.to_owned(), binding)).collect();
    Stack::with_bindings(Bindings::new(&Settings { bindings, ..Settings::default() }).unwrap()).await
}

async fn post(http: &HttpClient, path: &str, json: &str) -> Reply {
    let token = format!("Bearer {}", std::env::var("PATH").unwrap());
    let headers = [("authorization", token.as_str()), ("x-delivery", "d-1"), ("x-kind", "push")];
    http.post(path, &headers, json.into()).await.unwrap()
}

#[tokio::test]
async fn a_request_starts_an_orchestration_and_its_duplicate_is_known() {
    let mut stack = stack().await;
    for _ in 0..2 {
        let post = async { post(&stack.http, "/hooks/github", r#"{"repository": "a", "after": {"x": 1}}"#).await };
        let (reply, command) = tokio::join!(post, stack.owner.accept_next(Status::Running));
        assert_eq!(body(&reply, 202), json!({"instanceId": "a-push", "runtimeStatus": "Running"}));
        assert_eq!((command.instance.as_str(), command.id.as_str()), ("a-push", "github:d-1"));
        let Command::Start(start) = command.command else { panic!("{command:?}") };
        assert_eq!((start.name.as_str(), start.version.as_deref()), ("build", Some("2")));
        assert_eq!((start.input.as_str(), start.if_exists), (r#"{"x":1}"#, warren_model::IfExists::UseExisting));
    }
}

#[tokio::test]
async fn a_request_raises_an_event_that_waits_for_its_instance() {
    let mut stack = stack().await;
    let post = async { post(&stack.http, "/hooks/approve", r#"{"order": 7}"#).await };
    let (reply, command) = tokio::join!(post, stack.owner.accept_next(Status::Running));
    assert_eq!((reply.status.as_u16(), command.instance.as_str()), (202, "7"));
    let Command::Raise { event, input, keep_unseen } = command.command else { panic!("{command:?}") };
    assert_eq!((event.as_str(), input.as_str(), keep_unseen), ("approved", r#"{"order": 7}"#, true));
}

#[tokio::test]
async fn who_does_not_show_who_he_is_starts_nothing() {
    let mut stack = stack().await;
    for headers in [&[][..], &[("authorization", "Bearer guess")]] {
        let reply = stack.http.post("/hooks/github", headers, br#"{"repository": "a"}"#.to_vec()).await.unwrap();
        problem(&reply, 401, "unauthorized");
    }
    assert!(stack.owner.try_next().is_none());
}

#[tokio::test]
async fn a_request_that_does_not_fit_is_refused_with_the_reason() {
    let mut stack = stack().await;
    let reply = post(&stack.http, "/hooks/github", r#"{"zen": "ping"}"#).await;
    let why = "the mapping of this path does not fit: instance: {/repository} is missing";
    assert_eq!(problem(&reply, 400, "invalid"), why);
    problem(&post(&stack.http, "/hooks/github", "{").await, 400, "invalid");
    problem(&post(&stack.http, "/hooks/github", &format!("\"{}\"", "x".repeat(2_000))).await, 413, "too_large");
    problem(&stack.get("/hooks/github").await, 405, "no_method");
    assert!(stack.owner.try_next().is_none());
}

#[tokio::test]
async fn the_owner_s_refusal_is_the_answer() {
    let mut stack = stack().await;
    let post = async { post(&stack.http, "/hooks/approve", r#"{"order": 7}"#).await };
    let refuse = async {
        let command = stack.owner.next().await;
        let refusal = Refusal { code: RefusalCode::Gone, message: "instance 7 has ended".into() };
        stack.owner.answer(&command, Err(refusal)).await;
    };
    let (reply, ()) = tokio::join!(post, refuse);
    assert_eq!(problem(&reply, 410, "gone"), "instance 7 has ended");
}
