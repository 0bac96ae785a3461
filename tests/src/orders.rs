//! The orders of the example, as a load whose every end is known.

use std::collections::BTreeMap;

use example_order::sample::{Entry, entries};
use serde_json::{Value, json};
use warren_model::{ActionId, Event, TurnRecord};

use crate::{Fleet, eventually};

/// Returns so many orders.
pub fn first(count: usize) -> Vec<Entry> {
    entries().into_iter().take(count).collect()
}

/// Starts an order, and says at once what a person will be asked; retries as a client does whose server went away.
pub async fn send(fleet: &Fleet, entry: &Entry) {
    let path = format!("/orchestrators/order/{}", entry.id);
    let key = [("idempotency-key", entry.id.as_str())];
    eventually(&format!("{} is accepted", entry.id), || async {
        let http = fleet.http("api");
        let reply = http.post(&format!("/api/v1{path}"), &key, entry.order.as_str().into()).await;
        reply.is_ok_and(|reply| reply.status == 202)
    })
    .await;
    let Some(approved) = entry.approve else { return };
    let decision = json!({"approved": approved, "by": "test"}).to_string();
    eventually(&format!("the approval of {} is accepted", entry.id), || async {
        let reply = fleet.post(&format!("/instances/{}/raiseEvent/approval", entry.id), &decision).await;
        assert_ne!(reply.status, 404, "a start that was accepted is there: {}", reply.text());
        reply.status == 202 || reply.status == 410
    })
    .await;
}

/// Waits for the end of an order: it is the one that is due, and nothing in its history happened twice.
pub async fn check(fleet: &Fleet, entry: &Entry) {
    let status = fleet.wait(&entry.id).await;
    assert_eq!(ending(&status), entry.expect, "{}: {status}", entry.id);
    check_history(&entry.id, &fleet.history(&entry.id).await);
}

/// What the status says of the end, in the words of `orders.json`.
fn ending(status: &Value) -> String {
    match status["runtimeStatus"].as_str().unwrap() {
        "Completed" => "completed".into(),
        _ => status["failure"]["code"].as_str().unwrap_or_else(|| panic!("{status}")).into(),
    }
}

/// Counts how often each task and timer was ended, and how often the execution was.
fn check_history(id: &str, history: &[TurnRecord]) {
    let events = || history.iter().flat_map(|turn| &turn.events);
    let mut ended: BTreeMap<ActionId, u32> = BTreeMap::new();
    for event in events() {
        if let Event::TaskCompleted { id, .. } | Event::TaskFailed { id, .. } | Event::TimerFired { id } = event {
            *ended.entry(*id).or_default() += 1;
        }
    }
    assert!(ended.values().all(|count| *count == 1), "{id}: a task was ended twice: {ended:?}");
    let ends = events().filter(|event| matches!(event, Event::ExecutionCompleted(_))).count();
    assert_eq!(ends, 1, "{id} ends once");
}
