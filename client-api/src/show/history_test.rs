use std::collections::BTreeMap;

use serde_json::{Value, json};
use warren_model::{
    ClosePolicy, EventRaised, ExecutionCompleted, ExecutionStarted, ExecutionTerminated, Lifecycle,
    OrchestratorStarted, SubOrchestrationCreated, TaskScheduled, TimerCreated,
};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_735_689_600 + second).unwrap()
}

fn turn(second: i64, events: Vec<Event>) -> TurnRecord {
    let mut all = vec![Event::OrchestratorStarted(OrchestratorStarted { at: at(second) })];
    all.extend(events);
    TurnRecord::new(all)
}

fn text(text: &str) -> Payload {
    Payload::of(text).unwrap()
}

fn started() -> Event {
    Event::ExecutionStarted(ExecutionStarted {
        name: "order".into(),
        version: None,
        input: text("in"),
        parent: None,
        answer_to: None,
        tags: BTreeMap::new(),
        traceparent: None,
    })
}

fn scheduled(id: u32, name: &str) -> Event {
    Event::TaskScheduled(TaskScheduled::new(ActionId(id), name, text("task in")))
}

#[track_caller]
fn shows(turns: Vec<TurnRecord>, shows_input: bool, shows_output: bool, expected: Value) {
    assert_eq!(serde_json::to_value(history(turns, shows_input, shows_output)).unwrap(), expected);
}

#[test]
fn what_was_asked_for_and_how_it_ended_are_one_item() {
    let turns = vec![
        turn(0, vec![started(), scheduled(1, "charge"), scheduled(2, "ship")]),
        turn(5, vec![Event::TaskCompleted { id: ActionId(1), result: text("paid") }]),
    ];
    let expected = json!([
        {"EventType": "ExecutionStarted", "FunctionName": "order", "Timestamp": "2025-01-01T00:00:00Z"},
        {"EventType": "TaskScheduled", "FunctionName": "ship", "Timestamp": "2025-01-01T00:00:00Z"},
        {"EventType": "TaskCompleted", "FunctionName": "charge", "ScheduledTime": "2025-01-01T00:00:00Z",
         "Timestamp": "2025-01-01T00:00:05Z"},
    ]);
    shows(turns, false, false, expected);
}

#[test]
fn inputs_and_results_are_shown_if_asked_for() {
    let completed = Event::ExecutionCompleted(ExecutionCompleted { outcome: Ok(text("out")) });
    let turns = vec![
        turn(0, vec![started(), scheduled(1, "charge")]),
        turn(5, vec![Event::TaskCompleted { id: ActionId(1), result: text("paid") }, completed]),
    ];
    let expected = json!([
        {"EventType": "ExecutionStarted", "FunctionName": "order", "Input": "in", "Timestamp": "2025-01-01T00:00:00Z"},
        {"EventType": "TaskCompleted", "FunctionName": "charge", "Input": "task in", "Result": "paid",
         "ScheduledTime": "2025-01-01T00:00:00Z", "Timestamp": "2025-01-01T00:00:05Z"},
        {"EventType": "ExecutionCompleted", "Result": "out", "OrchestrationStatus": "Completed",
         "Timestamp": "2025-01-01T00:00:05Z"},
    ]);
    shows(turns, true, true, expected);
}

#[test]
fn failures_say_why() {
    let failure = Failure::permanent("declined", "no money");
    let completed = Event::ExecutionCompleted(ExecutionCompleted { outcome: Err(failure.clone()) });
    let child = Event::SubOrchestrationInstanceCreated(SubOrchestrationCreated {
        id: ActionId(1),
        instance: "child".parse().unwrap(),
        name: "pay".into(),
        version: None,
        input: text("x"),
        attempt: 1,
        close: ClosePolicy::Terminate,
    });
    let turns = vec![
        turn(0, vec![child]),
        turn(1, vec![Event::SubOrchestrationInstanceFailed { id: ActionId(1), failure }, completed]),
    ];
    let details = json!({"code": "declined", "message": "no money", "retryable": false});
    let expected = json!([
        {"EventType": "SubOrchestrationInstanceFailed", "FunctionName": "pay", "InstanceId": "child",
         "Reason": "declined: no money", "Details": details, "ScheduledTime": "2025-01-01T00:00:00Z",
         "Timestamp": "2025-01-01T00:00:01Z"},
        {"EventType": "ExecutionCompleted", "OrchestrationStatus": "Failed", "Reason": "declined: no money",
         "Details": details, "Timestamp": "2025-01-01T00:00:01Z"},
    ]);
    shows(turns, false, false, expected);
}

#[test]
fn timers_events_and_lifecycle_are_shown() {
    let lifecycle = |reason: &str| Lifecycle { reason: Some(reason.into()) };
    let terminated = ExecutionTerminated { reason: Some("enough".into()), recursive: true };
    let turns = vec![
        turn(0, vec![Event::TimerCreated(TimerCreated { id: ActionId(1), fire_at: at(60) })]),
        turn(1, vec![Event::EventRaised(EventRaised { name: "approval".into(), input: text("yes") })]),
        turn(2, vec![Event::ExecutionSuspended(lifecycle("lunch")), Event::ExecutionResumed(lifecycle("back"))]),
        turn(60, vec![Event::TimerFired { id: ActionId(1) }]),
        turn(61, vec![Event::ExecutionTerminated(terminated)]),
    ];
    let expected = json!([
        {"EventType": "EventRaised", "Name": "approval", "Timestamp": "2025-01-01T00:00:01Z"},
        {"EventType": "ExecutionSuspended", "Reason": "lunch", "Timestamp": "2025-01-01T00:00:02Z"},
        {"EventType": "ExecutionResumed", "Reason": "back", "Timestamp": "2025-01-01T00:00:02Z"},
        {"EventType": "TimerFired", "FireAt": "2025-01-01T00:01:00Z", "ScheduledTime": "2025-01-01T00:00:00Z",
         "Timestamp": "2025-01-01T00:01:00Z"},
        {"EventType": "ExecutionTerminated", "Reason": "enough", "OrchestrationStatus": "Terminated",
         "Timestamp": "2025-01-01T00:01:01Z"},
    ]);
    shows(turns, false, false, expected);
}

#[test]
fn an_end_without_its_beginning_is_shown_all_the_same() {
    let turns = vec![turn(0, vec![Event::TimerFired { id: ActionId(9) }])];
    shows(turns, false, false, json!([{"EventType": "TimerFired", "Timestamp": "2025-01-01T00:00:00Z"}]));
}
