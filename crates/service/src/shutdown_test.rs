use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::signal;

/// The process under test is this test binary, called for `the_service` alone.
const ROLE: &str = "WARREN_TEST_SHUTDOWN";

/// What a service does: says that it listens, stops at a signal, drains for as long as its role says.
#[tokio::test]
async fn the_service() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let stop = signal().unwrap();
    println!("listening");
    stop.await;
    println!("draining");
    if role == "slow" {
        std::future::pending::<()>().await;
    }
    println!("drained");
}

struct Service {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Service {
    fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "shutdown::test::the_service", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn says(&mut self, wanted: &str) {
        let said = self.lines.by_ref().map(Result::unwrap).any(|line| line.contains(wanted));
        assert!(said, "the service ended without saying {wanted:?}");
    }

    fn send(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

#[test]
fn the_first_signal_lets_the_service_drain() {
    for name in ["-TERM", "-INT"] {
        let mut service = Service::start("quick");
        service.says("listening");
        service.send(name);
        service.says("draining");
        service.says("drained");
        assert!(service.child.wait().unwrap().success());
    }
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    for (name, code) in [("-TERM", 143), ("-INT", 130)] {
        let mut service = Service::start("slow");
        service.says("listening");
        service.send("-TERM");
        service.says("draining");
        service.send(name);
        assert_eq!(service.child.wait().unwrap().code(), Some(code));
    }
}
