//! A work item that kills whoever runs it (H18): the workers are started again, the others complete, it is quarantined, and
//! one command sends it again.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::time::{Duration, Instant};

use end_to_end::Fleet;
use serde_json::Value;

/// How many times a work item that came again may be begun.
const BEGINS_MAX: &str = "2";
const OTHERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h18_an_activity_that_aborts_its_process_is_quarantined_and_takes_nobody_else_down() {
    let mut fleet = Fleet::empty();
    fleet.spawn("orchestrator", &[("orchestrator.task_begins_max", BEGINS_MAX)]);
    for name in ["fragile-1", "fragile-2", "api"] {
        fleet.spawn(name, &[]);
    }
    for name in ["orchestrator", "fragile-1", "fragile-2", "api"] {
        fleet.ready(name).await;
    }
    for number in 0..OTHERS {
        start(&fleet, &format!("good-{number}"), "somebody").await;
        if number == OTHERS / 2 {
            start(&fleet, "bad", "poison").await;
        }
    }
    let (deaths, quarantined) = keep_alive_until_quarantined(&mut fleet).await;
    // Once before anybody knew, and twice as often as it may.
    assert_eq!(deaths, 3, "{quarantined}");
    assert_eq!((&quarantined["instanceId"], &quarantined["activity"]), (&"bad".into(), &"greet".into()));
    let reason = quarantined["reason"].as_str().unwrap();
    assert!(reason.contains("begun 2 times") && reason.contains("resume the instance"), "{reason}");

    for number in 0..OTHERS {
        assert_eq!(fleet.wait(&format!("good-{number}")).await["runtimeStatus"], "Completed");
    }
    let status: Value = fleet.get("/instances/bad").await.json().unwrap();
    assert_eq!((&status["runtimeStatus"], &status["quarantinedTasks"][0]), (&"Running".into(), &quarantined));

    // Somebody mends the activity and lets it go on.
    for name in ["fragile-1", "fragile-2"] {
        assert!(fleet.process_mut(name).stop().await.success(), "the workers live on");
    }
    fleet.spawn("worker-1", &[]);
    let resumed = fleet.post("/instances/bad/resume", "").await;
    assert_eq!(resumed.status, 202, "{}", resumed.text());
    assert_eq!(fleet.wait("bad").await["runtimeStatus"], "Completed");
    let hub: Value = fleet.get("/hub").await.json().unwrap();
    assert_eq!(hub["quarantinedTasks"], Value::Array(Vec::new()));
}

async fn start(fleet: &Fleet, instance: &str, name: &str) {
    let reply = fleet.post(&format!("/orchestrators/hello/{instance}"), &format!("{name:?}")).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
}

/// Starts workers again as they die, until the hub shows a quarantined task. Returns how many died, and the task.
async fn keep_alive_until_quarantined(fleet: &mut Fleet) -> (u32, Value) {
    let (mut deaths, deadline) = (0, Instant::now() + Duration::from_secs(60));
    loop {
        let hub: Value = fleet.get("/hub").await.json().unwrap();
        // After that look: who died before the quarantine is counted.
        for name in ["fragile-1", "fragile-2"] {
            if fleet.process_mut(name).has_ended() {
                deaths += 1;
                fleet.spawn(name, &[]);
            }
        }
        if let Some(task) = hub["quarantinedTasks"].get(0) {
            return (deaths, task.clone());
        }
        assert!(Instant::now() < deadline, "nothing is quarantined after {deaths} deaths");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
