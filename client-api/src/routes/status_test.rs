use serde_json::json;
use warren_client::testing::view;
use warren_model::{
    ActionId, Command, Condition, ConditionKind, Event, OrchestratorStarted, Payload, Status, TurnRecord,
};
use warren_store::TaskNote;

use crate::testing::{Stack, body, problem};

#[tokio::test]
async fn an_instance_that_has_not_ended_is_202_and_one_that_has_is_200() {
    let stack = Stack::start().await;
    for (status, code) in [
        (Status::Pending, 202),
        (Status::Running, 202),
        (Status::Suspended, 202),
        (Status::Completed, 200),
        (Status::Failed, 200),
        (Status::Terminated, 200),
    ] {
        stack.queries.put(view("order-7", status, 0), vec![]);
        let reply = stack.get("/api/v1/instances/order-7").await;
        assert_eq!(body(&reply, code)["runtimeStatus"], status.as_str());
        let at = format!("{}/api/v1/instances/order-7", stack.origin);
        let expected = if code == 202 { (Some(at.as_str()), Some("5")) } else { (None, None) };
        assert_eq!((reply.header("location"), reply.header("retry-after")), expected);
    }
}

#[tokio::test]
async fn h18_quarantined_tasks_are_shown_with_their_instance_and_with_the_hub() {
    let mut stack = Stack::start().await;
    let (bad, good) = (view("bad", Status::Running, 0), view("good", Status::Running, 0));
    stack.queries.quarantine(TaskNote {
        count: 5,
        quarantine: Some("it kills".into()),
        ..TaskNote::new(bad.record.id.clone(), bad.record.execution, ActionId(7), 1, "charge".into())
    });
    stack.queries.put(bad, vec![]);
    stack.queries.put(good, vec![]);
    let shown = json!([{"instanceId": "bad", "taskId": 7, "activity": "charge", "begins": 5, "reason": "it kills"}]);
    assert_eq!(body(&stack.get("/api/v1/instances/bad").await, 202)["quarantinedTasks"], shown);
    assert_eq!(body(&stack.get("/api/v1/instances/good").await, 202).get("quarantinedTasks"), None);
    assert_eq!(body(&stack.get("/api/v1/hub").await, 200)["quarantinedTasks"], shown);
    let (_, command) = stack.post_accepted("/api/v1/instances/bad/resume", "").await;
    assert!(matches!(command.command, Command::Resume { .. }), "which sends them again");
}

#[tokio::test]
async fn a_failure_is_a_500_for_those_who_ask() {
    let stack = Stack::start().await;
    stack.queries.put(view("order-7", Status::Failed, 0), vec![]);
    let reply = stack.get("/api/v1/instances/order-7?returnInternalServerErrorOnFailure=true").await;
    assert_eq!(body(&reply, 500)["runtimeStatus"], "Failed");
}

#[tokio::test]
async fn the_input_is_shown_unless_it_is_not_asked_for() {
    let stack = Stack::start().await;
    let mut running = view("order-7", Status::Running, 0);
    running.input = Some(Payload::of(&[1]).unwrap());
    stack.queries.put(running, vec![]);
    assert_eq!(body(&stack.get("/api/v1/instances/order-7").await, 202)["input"], json!([1]));
    assert_eq!(body(&stack.get("/api/v1/instances/order-7?showInput=False").await, 202)["input"], json!(null));
}

#[tokio::test]
async fn the_history_is_shown_to_those_who_ask() {
    let stack = Stack::start().await;
    let record = view("order-7", Status::Running, 0);
    let at = record.record.created_at;
    let raised = |n: i32| {
        let input = Payload::of(&n).unwrap();
        Event::EventRaised(warren_model::EventRaised { name: "approval".into(), input })
    };
    let turn = |n| TurnRecord::new(vec![Event::OrchestratorStarted(OrchestratorStarted { at }), raised(n)]);
    stack.queries.put(record, (0..1_200).map(turn).collect());
    assert_eq!(body(&stack.get("/api/v1/instances/order-7").await, 202).get("historyEvents"), None);
    let shown = body(&stack.get("/api/v1/instances/order-7?showHistory=true").await, 202);
    let events = shown["historyEvents"].as_array().unwrap();
    assert_eq!(events.len(), 1_200, "read page by page");
    let last =
        json!({"EventType": "EventRaised", "Name": "approval", "Input": 1199, "Timestamp": "2025-01-01T00:00:00Z"});
    assert_eq!(events[1_199], last);
}

#[tokio::test]
async fn what_keeps_an_instance_from_going_on_is_shown() {
    let stack = Stack::start().await;
    let mut blocked = view("order-7", Status::Running, 0);
    blocked.record.condition =
        Some(Condition { kind: ConditionKind::Blocked, message: "turn 3 differs".into(), details: None });
    stack.queries.put(blocked, vec![]);
    let shown = body(&stack.get("/api/v1/instances/order-7").await, 202);
    assert_eq!(shown["condition"], json!({"kind": "blocked", "message": "turn 3 differs"}));
}

#[tokio::test]
async fn an_unknown_instance_is_not_found_and_a_wrong_parameter_is_named() {
    let stack = Stack::start().await;
    let told = problem(&stack.get("/api/v1/instances/order-7").await, 404, "not_found");
    assert_eq!(told, "instance order-7 is not known to this hub");
    let told = problem(&stack.get("/api/v1/instances/order-7?showHistory=1").await, 400, "invalid");
    assert_eq!(told, "query parameter showHistory is \"1\": expected true or false");
    problem(&stack.get("/api/v1/instances/@x").await, 400, "invalid");
}

#[tokio::test]
async fn a_store_that_is_away_means_try_again() {
    let stack = Stack::start().await;
    stack.queries.set_away(Some("disk on fire"));
    let reply = stack.get("/api/v1/instances/order-7").await;
    assert_eq!(problem(&reply, 503, "unavailable"), "failed to reach the store: disk on fire");
}
