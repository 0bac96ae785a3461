use serde_json::json;
use warren_broker::Codec;
use warren_client::testing::{partitions, topology};
use warren_model::{ActionId, Command, ExecutionId, Failure, InstanceId, Payload, Token};

use crate::testing::{Stack, body, problem};

/// Of an instance with an id that a path has to escape.
fn token() -> Token {
    let (instance, execution) = (InstanceId::new("orders/7.a b").unwrap(), ExecutionId::from_u128(9));
    Codec::new(topology(), partitions(), [7; 16]).token(&instance, execution, ActionId(2), 1)
}

fn path(what: &str) -> String {
    format!("/api/v1/tasks/{}/{what}", token().to_string().replace('/', "%2F").replace(' ', "%20"))
}

#[tokio::test]
async fn a_task_that_was_handed_over_is_completed_by_its_token() {
    let mut stack = Stack::start().await;
    let failure = Failure::permanent("card_declined", "no");
    for (what, json, outcome) in [
        ("complete", r#"{"approved":  true}"#, Ok(Payload::from_bytes(br#"{"approved":  true}"#).unwrap())),
        ("complete", "", Ok(Payload::null())),
        ("fail", r#"{"code":"card_declined","message":"no","retryable":false}"#, Err(failure)),
    ] {
        let (reply, command) = stack.post_accepted(&path(what), json).await;
        assert_eq!(
            (command.instance.clone(), command.command),
            (token().instance, Command::Complete { token: token(), outcome })
        );
        assert_eq!(body(&reply, 202), json!({"instanceId": "orders/7.a b", "runtimeStatus": "Running"}));
    }
}

#[tokio::test]
async fn h7_whoever_does_a_task_says_so_and_is_told_whether_anybody_waits() {
    let mut stack = Stack::start().await;
    let path = path("heartbeat");
    for (json, progress, is_awaited) in [
        (r#"{"pages":  3}"#, Some(Payload::from_bytes(br#"{"pages":  3}"#).unwrap()), true),
        ("", None, true),
        ("null", None, false),
    ] {
        let post = stack.http.post(&path, &[("content-type", "application/json")], json.into());
        let (reply, heard) = tokio::join!(post, stack.owner.hear_next(is_awaited));
        let told = body(&reply.unwrap(), 200);
        assert_eq!(told, json!({"instanceId": "orders/7.a b", "isAwaited": is_awaited}));
        assert_eq!((heard.of.instance, heard.of.task), (token().instance, ActionId(2)));
        assert_eq!((heard.beat.progress, heard.beat.lease), (progress, None));
    }
}

#[tokio::test]
async fn heartbeats_of_one_task_that_are_sent_at_once_are_all_answered() {
    let mut stack = Stack::start().await;
    let (path, none) = (path("heartbeat"), Vec::new);
    let beats = [(); 3].map(|()| stack.http.post(&path, &[], none()));
    let hear = async {
        for _ in 0..3 {
            stack.owner.hear_next(true).await;
        }
    };
    let (replies, ()) = tokio::join!(futures_util::future::try_join_all(beats), hear);
    for reply in replies.unwrap() {
        assert_eq!(body(&reply, 200)["isAwaited"], true);
    }
}

#[tokio::test]
async fn what_is_no_token_or_no_failure_is_refused() {
    let stack = Stack::start().await;
    let reply = stack.post("/api/v1/tasks/order-7/complete", "1").await;
    let told = problem(&reply, 400, "invalid");
    assert_eq!(told, r#""order-7" is no token: expected that of the work item, unchanged"#);
    let told = problem(&stack.post(&path("fail"), r#"{"message":"x"}"#).await, 400, "invalid");
    assert!(told.starts_with("the body is no failure: missing field `code`"), "{told}");
}
