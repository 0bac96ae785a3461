use warren_client::testing::view;
use warren_model::{Command, Payload, Refusal, RefusalCode, Status};

use crate::testing::{Stack, body, problem};

#[tokio::test]
async fn a_wait_is_answered_when_the_instance_ends() {
    let mut stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Running, 0), vec![]);
    let get = stack.http.get("/api/v1/instances/order-7/wait");
    let serve = async {
        let command = stack.owner.next().await;
        assert_eq!(command.command, Command::Wait);
        let mut ended = view("order-7", Status::Completed, 0);
        ended.outcome = Some(Ok(Payload::of("done").unwrap()));
        stack.queries.put(ended, vec![]);
        stack.owner.end(&command, Status::Completed, Ok(Payload::of("done").unwrap())).await;
    };
    let (reply, ()) = tokio::join!(get, serve);
    let body = body(&reply.unwrap(), 200);
    assert_eq!((body["runtimeStatus"].as_str(), body["output"].as_str()), (Some("Completed"), Some("done")));
}

#[tokio::test]
async fn one_that_has_ended_is_answered_from_the_store() {
    let mut stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Terminated, 0), vec![]);
    let reply = stack.get("/runtime/webhooks/durabletask/instances/order-7/WAIT").await;
    assert_eq!(body(&reply, 200)["runtimeStatus"], "Terminated");
    assert!(stack.owner.try_next().is_none());
}

#[tokio::test]
async fn a_wait_that_is_over_before_the_end_is_202() {
    let stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Running, 0), vec![]);
    let reply = stack.get("/api/v1/instances/order-7/wait?timeout=0.05").await;
    assert_eq!(body(&reply, 202)["runtimeStatus"], "Running");
}

#[tokio::test]
async fn an_unknown_instance_is_not_found_by_the_store_and_a_purged_one_by_the_owner() {
    let mut stack = Stack::start().await;
    problem(&stack.get("/api/v1/instances/order-7/wait").await, 404, "not_found");
    stack.queries.put(view("order-7", Status::Running, 0), vec![]);
    let get = stack.http.get("/api/v1/instances/order-7/wait");
    let serve = async {
        let command = stack.owner.next().await;
        let refusal = Refusal { code: RefusalCode::NotFound, message: "instance order-7 is unknown".into() };
        stack.owner.answer(&command, Err(refusal)).await;
    };
    let (reply, ()) = tokio::join!(get, serve);
    assert_eq!(problem(&reply.unwrap(), 404, "not_found"), "instance order-7 is unknown");
}

#[tokio::test]
async fn a_service_that_stops_lets_nobody_wait() {
    let mut stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Running, 0), vec![]);
    let http = stack.http.clone();
    let waiting = tokio::spawn(async move { http.get("/api/v1/instances/order-7/wait?timeout=60").await });
    stack.owner.next().await;
    stack.stop().await.unwrap();
    assert_eq!(body(&waiting.await.unwrap().unwrap(), 202)["runtimeStatus"], "Running");
}
