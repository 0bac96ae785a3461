//! Servers of a test's own: to be stopped, killed and blocked.

use std::process::Command;

use crate::repository;

/// A RabbitMQ node or a PostgreSQL server of this test's own. Stopped and deleted when dropped.
pub struct Server {
    kind: Kind,
    name: String,
    url: String,
    /// How many milliseconds a delivery may stay unacknowledged.
    consumer_timeout: Option<u32>,
}

#[derive(Clone, Copy)]
enum Kind {
    RabbitMq,
    Postgres,
}

impl Server {
    /// Starts a RabbitMQ node.
    pub fn rabbitmq(name: &str) -> Self {
        Self::new(Kind::RabbitMq, name, None)
    }

    /// Starts a RabbitMQ node that takes a delivery back after so many milliseconds.
    pub fn rabbitmq_with_consumer_timeout(name: &str, milliseconds: u32) -> Self {
        Self::new(Kind::RabbitMq, name, Some(milliseconds))
    }

    /// Starts a PostgreSQL server.
    pub fn postgres(name: &str) -> Self {
        Self::new(Kind::Postgres, name, None)
    }

    fn new(kind: Kind, name: &str, consumer_timeout: Option<u32>) -> Self {
        let mut server = Self { kind, name: name.into(), url: String::new(), consumer_timeout };
        server.url = server.run(&["ensure"]);
        server
    }

    /// Returns where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it again, at the same place.
    pub fn start(&self) {
        assert_eq!(self.run(&["ensure"]), self.url, "its port was free");
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        self.run(&["kill"]);
    }

    /// Runs `rabbitmqctl` against it and returns what that prints.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        self.run(&[&["ctl", "--quiet"], arguments].concat())
    }

    /// Runs SQL against it, whether or not it takes writes by default, and returns what that prints.
    pub fn sql(&self, sql: &str) -> String {
        self.run(&["psql", "-qAt", "-c", "SET default_transaction_read_only = off", "-c", sql])
    }

    fn run(&self, arguments: &[&str]) -> String {
        let (script, variable) = match self.kind {
            Kind::RabbitMq => ("rabbitmq", "WARREN_RABBITMQ_NAME"),
            Kind::Postgres => ("postgres", "WARREN_POSTGRES_NAME"),
        };
        let mut command = Command::new(repository().join("deploy/local").join(script));
        if let Some(milliseconds) = self.consumer_timeout {
            command.env("WARREN_RABBITMQ_CONSUMER_TIMEOUT", milliseconds.to_string());
        }
        let ran = command.args(arguments).env(variable, &self.name).output().unwrap();
        assert!(ran.status.success(), "{script} {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.run(&["remove"]);
        } else {
            // A second panic would hide the first.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run(&["remove"])));
        }
    }
}
