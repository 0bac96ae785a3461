use serde_json::{Value, json};
use warren_client::testing::view;

use super::*;

fn shown(view: InstanceView, shows_input: bool) -> Value {
    serde_json::to_value(StatusBody::new(view, shows_input)).unwrap()
}

#[test]
fn a_running_instance_has_the_fields_of_durable_functions() {
    let mut running = view("order-7", Status::Running, 0);
    running.record.created_at = "2025-01-01T00:00:00.987654321Z".parse().unwrap();
    running.record.updated_at = "2025-01-01T00:01:59.999999999Z".parse().unwrap();
    running.record.custom_status = Some(Payload::of(&json!({"stage": "shipping"})).unwrap());
    running.input = Some(Payload::of("in").unwrap());
    let expected = json!({
        "name": "order",
        "instanceId": "order-7",
        "runtimeStatus": "Running",
        "input": "in",
        "customStatus": {"stage": "shipping"},
        "output": null,
        "createdTime": "2025-01-01T00:00:00Z",
        "lastUpdatedTime": "2025-01-01T00:01:59Z",
        "executionId": "0000000000000000000000000000000e",
    });
    assert_eq!(shown(running, true), expected);
}

#[test]
fn payloads_are_shown_byte_for_byte() {
    let mut done = view("order-7", Status::Completed, 0);
    done.outcome = Some(Ok(Payload::from_bytes(br#"{"z":1.0,  "a":"\ud800"}"#).unwrap()));
    let text = serde_json::to_string(&StatusBody::new(done, true)).unwrap();
    assert!(text.contains(r#""output":{"z":1.0,  "a":"\ud800"}"#), "{text}");
}

#[test]
fn a_failure_is_text_for_durable_functions_and_an_object_for_programs() {
    let mut failed = view("order-7", Status::Failed, 0);
    failed.outcome = Some(Err(Failure::permanent("declined", "no money")));
    let shown = shown(failed, true);
    assert_eq!(shown["output"], "declined: no money");
    assert_eq!(shown["failure"], json!({"code": "declined", "message": "no money", "retryable": false}));
}

#[test]
fn a_terminated_instance_has_its_reason_as_output() {
    let mut terminated = view("order-7", Status::Terminated, 0);
    terminated.outcome = Some(Err(Failure::permanent("terminated", "enough")));
    let shown = shown(terminated, true);
    assert_eq!((&shown["output"], shown.get("failure")), (&json!("enough"), None));
}

#[test]
fn version_tags_and_condition_are_shown_where_there_are_any() {
    let mut stuck = view("order-7", Status::Running, 0);
    stuck.record.version = Some("2".into());
    stuck.record.tags = [("shop".to_owned(), "berlin".to_owned())].into();
    let details = Payload::of(&json!({"turn": 3})).ok();
    stuck.record.condition = Some(Condition { kind: ConditionKind::Blocked, message: "differs".into(), details });
    let shown = shown(stuck, false);
    assert_eq!(
        (&shown["version"], &shown["tags"], &shown["input"]),
        (&json!("2"), &json!({"shop": "berlin"}), &json!(null))
    );
    assert_eq!(shown["condition"], json!({"kind": "blocked", "message": "differs", "details": {"turn": 3}}));
}

#[test]
fn what_kept_an_instance_from_going_on_is_of_no_interest_once_it_has_ended() {
    let mut ended = view("order-7", Status::Terminated, 0);
    ended.record.condition = Some(Condition { kind: ConditionKind::Stuck, message: "awaits".into(), details: None });
    assert_eq!(shown(ended, false).get("condition"), None);
}
