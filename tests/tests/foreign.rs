//! Other systems and other languages: one plain AMQP message starts an order, and a few lines of Python serve an
//! activity. The Python has pika and not a line of Warren's.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use end_to_end::{Fleet, Process, amqp_url, python, repository};

/// Runs a script to its end and returns what it printed.
async fn script(name: &str, arguments: &[&str]) -> String {
    let path = repository().join("tests/tests/foreign").join(name);
    let mut command = Command::new(python());
    command.arg(path).arg(amqp_url()).args(arguments).stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = tokio::time::timeout(Duration::from_secs(60), run).await.expect("the script ends").unwrap().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn worker(fleet: &Fleet, arguments: &[&str]) -> Process {
    let path = repository().join("tests/tests/foreign/worker.py");
    let own = [path.to_str().unwrap(), amqp_url()];
    let arguments: Vec<String> = own.iter().chain(arguments).map(|text| (*text).to_owned()).collect();
    Process::spawn(Path::new(&python()), &arguments, &fleet.folder().join("python-worker.log"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_system_starts_an_order_with_one_message_and_gets_the_outcome() {
    let fleet = Fleet::start(&["orchestrator", "worker-1"]).await;
    let order = example_order::sample::entries().into_iter().find(|entry| entry.expect == "completed").unwrap();
    let told = script("start.py", &[&fleet.hub, "order", order.order.as_str()]).await;
    let (head, body) = told.split_once('\n').unwrap();
    assert_eq!(head, "result 4711", "the type, and the sender's own correlation id");
    let receipt: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(receipt["order"], serde_json::from_str::<serde_json::Value>(order.order.as_str()).unwrap()["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_system_is_told_why_a_message_makes_no_sense() {
    let fleet = Fleet::start(&["orchestrator"]).await;
    let told = script("start.py", &[&fleet.hub, "order", "{not json"]).await;
    assert!(told.starts_with("refused 4711\n") && told.contains("the body is not JSON"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_language_serves_an_activity() {
    let fleet = Fleet::start(&["orchestrator"]).await;
    let mut python = worker(&fleet, &[&format!("{}.work.compute_volume", fleet.hub)]);
    python.says("serving").await;
    let told = script("start.py", &[&fleet.hub, "volume", r#"{"length": 2, "width": 3, "height": 4}"#]).await;
    assert_eq!(told.trim(), "result 4711\n{\"litres\":24000.0}");
    let told = script("start.py", &[&fleet.hub, "volume", r#"{"length": -2, "width": 3, "height": 4}"#]).await;
    assert!(told.starts_with("failure 4711\n") && told.contains("\"code\":\"negative\""), "{told}");
    python.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_in_another_language_is_told_in_which_trace_its_activity_is() {
    let fleet = Fleet::start(&["orchestrator", "api"]).await;
    let mut python = worker(&fleet, &[&format!("{}.work.compute_volume", fleet.hub)]);
    python.says("serving").await;
    let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    let (path, size) = ("/api/v1/orchestrators/volume/box-1", r#"{"length": 2, "width": 3, "height": 4}"#);
    assert_eq!(fleet.http("api").post(path, &headers, size.into()).await.unwrap().status, 202);
    assert_eq!(fleet.wait("box-1").await["runtimeStatus"], "Completed");
    python.says("in trace 00-4bf92f3577b34da6a3ce929d0e0e4736-").await;
    python.kill();
}
