//! The stock binary, as a process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use warren_testing::amqp_url;

use crate::hub::{DEADLINE, Hub};

/// A running worker and its log. Killed if the test ends early.
struct Worker {
    process: Child,
    log: BufReader<ChildStderr>,
}

impl Worker {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_activity-worker"));
        // In an empty folder, so that nobody's settings file is found.
        command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(["--log-format", "json"]);
        let mut process = command.args(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, log }
    }

    /// Reads the log up to the line with this message, and returns that line.
    fn logs(&mut self, message: &str) -> Value {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let bytes = self.log.read_line(&mut line).unwrap();
            assert_ne!(bytes, 0, "the worker ends before it logs {message:?}:\n{seen}");
            seen.push_str(&line);
            let read: Value = serde_json::from_str(&line).unwrap_or_default();
            if read["message"] == message {
                return read;
            }
        }
    }

    /// Asks the process to stop, and waits until it has.
    fn stop(&mut self) -> ExitStatus {
        let killed = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the worker stops when it is asked to");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks a health endpoint.
fn ready(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /health/ready HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn text(line: &Value, field: &str) -> String {
    line[field].as_str().unwrap_or_else(|| panic!("{field} in {line}")).to_owned()
}

#[tokio::test]
async fn the_stock_worker_serves_the_examples_and_ends_at_sigterm() {
    let mut hub = Hub::open().await;
    let (name, broker) = (format!("hub.name={}", hub.name()), format!("broker.url={}", amqp_url()));
    let mut worker = Worker::start(&["--set", &name, "--set", &broker, "--set", "worker.queues=greet"]);
    let address = text(&worker.logs("answering at /health/live and /health/ready"), "address");
    hub.schedule("greet", [json!({ "name": "Ada", "city": "Lisbon" })]).await;
    let reply = hub.replies(1).await.remove(0);
    assert!(String::from_utf8_lossy(&reply.body).contains("Ada"), "{reply:?}");
    worker.logs("consuming work items");
    let deadline = Instant::now() + DEADLINE;
    while !ready(&address).starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline, "the worker is ready");
    }
    assert_eq!(worker.stop().code(), Some(0));
    hub.left("greet", 0).await;
    hub.close(&["greet"]).await;
}

/// A worker that can't get in says so and goes on trying: a person may be about to mend it.
#[test]
fn h22_a_refused_worker_names_the_broker_without_its_password_and_is_not_ready() {
    let wrong = amqp_url().replacen("guest:guest@", "guest:not-the-password@", 1);
    let mut worker = Worker::start(&["--set", &format!("broker.url={wrong}")]);
    let address = text(&worker.logs("answering at /health/live and /health/ready"), "address");
    let refused = worker.logs("refused by the broker");
    assert!(text(&refused, "address").starts_with("amqp://guest@"), "{refused}");
    assert!(!refused.to_string().contains("not-the-password"));
    // Said by the connection first; the health is told a moment later.
    let told = worker.logs("health check fails");
    let answer = ready(&address);
    assert!(answer.starts_with("HTTP/1.1 503") && !answer.contains("not-the-password"), "{told} {answer}");
    assert_eq!(worker.stop().code(), Some(0));
}

#[test]
fn a_wrong_address_or_setting_ends_the_process_with_a_sentence() {
    for (setting, said) in [
        ("broker.url=amqp://guest:secret@host:port/", "read the broker's address"),
        ("worker.queues=nobody", "\"nobody\""),
        ("worker.concurrency=0", "worker.concurrency = 0"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_activity-worker"));
        let output = command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(["--set", setting]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(said) && !told.contains("secret"), "{told}");
    }
}
