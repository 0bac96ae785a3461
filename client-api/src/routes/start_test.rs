use serde_json::json;
use warren_client::testing::{answer, view};
use warren_model::{Command, Failure, IfExists, Payload, Refusal, RefusalCode, Status, instance_id_for};

use crate::testing::{Stack, body, problem};

/// For tests in which patience is in vain.
const SHORT: std::time::Duration = std::time::Duration::from_millis(300);

#[tokio::test]
async fn a_start_is_answered_with_where_to_ask() {
    let mut stack = Stack::start().await;
    let (reply, command) = stack.post_accepted("/api/v1/orchestrators/order/order-7", r#"{"b":1, "a":2}"#).await;
    let Command::Start(start) = &command.command else { panic!("{command:?}") };
    assert_eq!((command.instance.as_str(), start.name.as_str()), ("order-7", "order"));
    assert_eq!(start.input.as_str(), r#"{"b":1, "a":2}"#, "byte for byte");
    let at = format!("{}/api/v1/instances/order-7", stack.origin);
    let expected = json!({
        "id": "order-7",
        "statusQueryGetUri": at,
        "waitGetUri": format!("{at}/wait?timeout=30"),
        "sendEventPostUri": format!("{at}/raiseEvent/{{eventName}}"),
        "terminatePostUri": format!("{at}/terminate?reason={{text}}"),
        "suspendPostUri": format!("{at}/suspend?reason={{text}}"),
        "resumePostUri": format!("{at}/resume?reason={{text}}"),
        "purgeHistoryDeleteUri": at,
        "runtimeStatus": "Running",
    });
    assert_eq!(body(&reply, 202), expected);
    assert_eq!((reply.header("location"), reply.header("retry-after")), (Some(at.as_str()), Some("10")));
}

#[tokio::test]
async fn without_an_id_one_is_made_and_without_a_body_the_input_is_null() {
    let mut stack = Stack::start().await;
    let (reply, command) = stack.post_accepted("/api/v1/orchestrators/order", "").await;
    let Command::Start(start) = &command.command else { panic!("{command:?}") };
    assert!(start.input.is_null());
    assert_eq!(command.instance, instance_id_for(&command.id));
    assert_eq!(body(&reply, 202)["id"], command.instance.as_str());
}

#[tokio::test]
async fn the_other_base_does_the_same_in_any_case_and_links_to_itself() {
    let mut stack = Stack::start().await;
    let path = "/Runtime/WebHooks/DurableTask/Orchestrators/order/Order-7?taskHub=TEST&connection=Storage&code=x";
    let (reply, command) = stack.post_accepted(path, "").await;
    assert_eq!(command.instance.as_str(), "Order-7");
    let at = format!("{}/runtime/webhooks/durabletask/instances/Order-7", stack.origin);
    assert_eq!(body(&reply, 202)["statusQueryGetUri"], at);
}

#[tokio::test]
async fn an_id_with_every_kind_of_character_survives_the_way_there_and_back() {
    let mut stack = Stack::start().await;
    let (reply, command) = stack.post_accepted("/api/v1/orchestrators/order/a%2Fb%20%25%3F:c", "").await;
    assert_eq!(command.instance.as_str(), "a/b %?:c");
    let at = body(&reply, 202)["statusQueryGetUri"].as_str().unwrap().to_owned();
    stack.queries.put(view("a/b %?:c", Status::Running, 0), vec![]);
    let found = stack.get(at.strip_prefix(&stack.origin).unwrap()).await;
    assert_eq!(body(&found, 202)["instanceId"], "a/b %?:c");
}

#[tokio::test]
async fn the_idempotency_key_becomes_the_message_id() {
    let mut stack = Stack::start().await;
    let post = || async {
        stack.http.post("/api/v1/orchestrators/order", &[("idempotency-key", "key-1")], "{}".into()).await.unwrap()
    };
    let (first, command) = tokio::join!(post(), stack.owner.accept_next(Status::Running));
    let (second, again) = tokio::join!(post(), stack.owner.accept_next(Status::Running));
    assert_eq!((command.id.as_str(), &command.id), ("key-1", &again.id));
    assert_eq!(body(&first, 202), body(&second, 202), "a retry is answered the same");
    let long = "k".repeat(129);
    let reply = stack.http.post("/api/v1/orchestrators/order", &[("idempotency-key", &long)], "".into()).await.unwrap();
    let message = problem(&reply, 400, "invalid");
    assert_eq!(message, "header Idempotency-Key: message id has 129 bytes, at most 128 are allowed");
}

#[tokio::test]
async fn version_and_trace_are_passed_on() {
    let mut stack = Stack::start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (header, expected) in [(trace, Some(trace)), ("nonsense", None)] {
        let headers = [("traceparent", header)];
        let post = stack.http.post("/api/v1/orchestrators/order?version=2", &headers, vec![]);
        let (reply, command) = tokio::join!(post, stack.owner.accept_next(Status::Running));
        assert_eq!(reply.unwrap().status, 202);
        let Command::Start(start) = &command.command else { panic!("{command:?}") };
        assert_eq!((start.version.as_deref(), start.traceparent.as_deref()), (Some("2"), expected));
    }
}

#[tokio::test]
async fn an_orchestrator_that_nobody_serves_is_accepted_with_a_warning() {
    let mut stack = Stack::start().await;
    let post = stack.http.post("/api/v1/orchestrators/oder/order-7", &[], vec![]);
    let serve = async {
        let command = stack.owner.next().await;
        let mut answer = answer(&command.instance, Status::Pending);
        answer.warning = Some("no owner knows orchestrator oder, did you mean order?".into());
        stack.owner.answer(&command, Ok(answer)).await;
    };
    let (reply, ()) = tokio::join!(post, serve);
    assert_eq!(body(&reply.unwrap(), 202)["warning"], "no owner knows orchestrator oder, did you mean order?");
}

#[tokio::test]
async fn a_duplicate_id_is_a_conflict_that_says_which_and_how_it_stands() {
    let mut stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Completed, 0), vec![]);
    let post = stack.http.post("/api/v1/orchestrators/order/order-7", &[], vec![]);
    let serve = async {
        let command = stack.owner.next().await;
        let message = "instance order-7 exists already and has ended".into();
        stack.owner.answer(&command, Err(Refusal { code: RefusalCode::Exists, message })).await;
    };
    let (reply, ()) = tokio::join!(post, serve);
    let reply = reply.unwrap();
    assert_eq!(problem(&reply, 409, "exists"), "instance order-7 exists already and has ended");
    let error = &body(&reply, 409)["error"];
    assert_eq!((&error["instanceId"], &error["runtimeStatus"]), (&json!("order-7"), &json!("Completed")));
    assert_eq!(error["statusQueryGetUri"], format!("{}/api/v1/instances/order-7", stack.origin));
}

#[tokio::test]
async fn with_a_timeout_the_answer_is_the_bare_output() {
    let mut stack = Stack::start().await;
    let post = stack.http.post("/api/v1/orchestrators/order/order-7?timeout=60&pollingInterval=1", &[], vec![]);
    let serve = async {
        stack.owner.accept_next(Status::Pending).await;
        let wait = stack.owner.next().await;
        stack.owner.end(&wait, Status::Completed, Ok(Payload::from_bytes(br#"{"z":1, "a":2}"#).unwrap())).await;
    };
    let (reply, ()) = tokio::join!(post, serve);
    let reply = reply.unwrap();
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, r#"{"z":1, "a":2}"#));
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn with_a_timeout_a_failure_is_answered_with_the_status() {
    let mut stack = Stack::start().await;
    let failure = Failure::permanent("declined", "no money");
    let mut failed = view("order-7", Status::Failed, 0);
    failed.outcome = Some(Err(failure.clone()));
    stack.queries.put(failed, vec![]);
    let post = stack.http.post("/api/v1/orchestrators/order/order-7?timeout=60", &[], vec![]);
    let serve = async {
        stack.owner.accept_next(Status::Pending).await;
        let wait = stack.owner.next().await;
        stack.owner.end(&wait, Status::Failed, Err(failure)).await;
    };
    let (reply, ()) = tokio::join!(post, serve);
    let body = body(&reply.unwrap(), 200);
    assert_eq!((&body["runtimeStatus"], &body["output"]), (&json!("Failed"), &json!("declined: no money")));
}

#[tokio::test]
async fn a_timeout_that_passes_is_answered_like_any_start() {
    let mut stack = Stack::start().await;
    let (reply, _) = stack.post_accepted("/api/v1/orchestrators/order/order-7?timeout=0.05", "").await;
    assert_eq!(body(&reply, 202)["id"], "order-7");
}

#[tokio::test]
async fn bad_input_is_refused_with_what_is_wrong_and_sends_nothing() {
    let mut stack = Stack::start().await;
    let start = "/api/v1/orchestrators/order";
    let long = "a".repeat(129);
    for (path, json, message) in [
        (start.into(), "{\"a\":\n 1,}", "the body is not JSON: key must be a string at line 2 column 4"),
        (start.into(), "{\"a\": \"\u{1}\"}", "the body is not JSON: control character"),
        (format!("{start}/{long}"), "", "instance id has 129 bytes, at most 128 are allowed"),
        (format!("{start}/a%0Ab"), "", "instance id has '\\n' at byte 1, only printable ASCII is allowed"),
        (format!("{start}/%C3%A9"), "", "instance id has 'é' at byte 0, only printable ASCII is allowed"),
        (format!("{start}/@cart"), "", "instance id begins with `@`, which is reserved for entities"),
        (format!("{start}/%FF"), "", "Invalid URL: Invalid UTF-8 in `id`"),
        (format!("{start}?timeout=soon"), "", "query parameter timeout is \"soon\": expected a number of seconds"),
        (format!("{start}?taskHub=other"), "", "query parameter taskHub is \"other\": expected test"),
        (
            "/api/v1/orchestrators/a%0Ab".into(),
            "",
            "orchestrator name has '\\n' at byte 1: expected printable characters",
        ),
    ] {
        let told = problem(&stack.post(&path, json).await, 400, "invalid");
        assert!(told.starts_with(message), "{path}: {told}");
    }
    assert!(stack.owner.try_next().is_none());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_told_line_and_column() {
    let stack = Stack::start().await;
    let told = problem(&stack.post("/api/v1/orchestrators/order", "{\"a\": 1,\n \"b\" 2}").await, 400, "invalid");
    assert_eq!(told, "the body is not JSON: expected `:` at line 2 column 6");
}

#[tokio::test]
async fn a_body_over_its_limit_is_too_large_at_the_socket_or_at_the_client() {
    let mut stack = Stack::start().await;
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let told = problem(&stack.post("/api/v1/orchestrators/order", &text(2_001)).await, 413, "too_large");
    assert_eq!(told, "the body is too large: at most 2000 bytes are allowed");
    let told = problem(&stack.post("/api/v1/orchestrators/order", &text(1_001)).await, 413, "too_large");
    assert_eq!(told, "input has 1001 bytes: at most 1000 are allowed");
    assert!(stack.owner.try_next().is_none());
}

#[tokio::test]
async fn a_broker_that_is_away_means_try_again_and_nothing_was_accepted() {
    let mut stack = Stack::with_patience(SHORT).await;
    stack.broker.set_down(Some("connection refused"));
    let reply = stack.post("/api/v1/orchestrators/order/order-7", "").await;
    let told = problem(&reply, 503, "unavailable");
    assert_eq!(told, "failed to reach hub test: connection refused; nothing was accepted");
    assert_eq!(reply.header("retry-after"), Some("2"));
    stack.broker.set_down(None);
    stack.owner.reconnect(&stack.broker).await;
    // The client comes back in its own time.
    let post = async {
        while stack.http.post("/api/v1/orchestrators/order/order-8", &[], vec![]).await.unwrap().status == 503 {}
    };
    let ((), command) = tokio::join!(post, stack.owner.accept_next(Status::Running));
    assert_eq!(command.instance.as_str(), "order-8", "what was refused is not sent later");
}

#[tokio::test]
async fn a_hub_that_no_owner_has_created_is_named() {
    let stack = Stack::start().await;
    for partition in ["00", "01"] {
        stack.broker.delete_queue(&format!("test.control.{partition}"));
    }
    let told = problem(&stack.post("/api/v1/orchestrators/order/order-7", "").await, 503, "unavailable");
    assert!(told.contains("no orchestrator-svc has created the hub"), "{told}");
}

#[tokio::test]
async fn an_owner_that_does_not_answer_is_a_timeout_that_says_how_to_ask_again() {
    let mut stack = Stack::with_patience(SHORT).await;
    let reply = stack.post("/api/v1/orchestrators/order/order-7", "").await;
    let command = stack.owner.next().await;
    let told = problem(&reply, 504, "timeout");
    assert!(told.contains(&format!("Idempotency-Key: {}", command.id)), "{told}");
    let error = &body(&reply, 504)["error"];
    assert_eq!(
        (error["instanceId"].as_str(), error["idempotencyKey"].as_str()),
        (Some("order-7"), Some(command.id.as_str()))
    );
}

#[tokio::test]
async fn h14_a_start_says_what_becomes_of_an_id_that_ran_before() {
    let mut stack = Stack::start().await;
    for (query, expected) in [
        ("", IfExists::Fail),
        ("?ifExists=fail", IfExists::Fail),
        ("?IfExists=Replace-Ended", IfExists::ReplaceEnded),
        ("?ifExists=use-existing", IfExists::UseExisting),
    ] {
        let path = format!("/api/v1/orchestrators/order/order-7{query}");
        let (_, command) = stack.post_accepted(&path, "1").await;
        let Command::Start(start) = command.command else { panic!("{command:?}") };
        assert_eq!(start.if_exists, expected, "{query}");
    }
    let reply = stack.post("/api/v1/orchestrators/order/order-7?ifExists=overwrite", "1").await;
    assert!(problem(&reply, 400, "invalid").contains("fail, replace-ended, use-existing"));
}
