//! Servers of a test's own: to be stopped, killed and blocked.

use crate::Script;

/// A RabbitMQ node or a PostgreSQL server of this test's own. Stopped and deleted when dropped.
#[derive(Debug)]
pub struct Server {
    script: Script,
    url: String,
}

impl Server {
    /// Starts a RabbitMQ node.
    pub fn rabbitmq(name: &str) -> Self {
        Self::new(Script::rabbitmq_named(name))
    }

    /// Starts a RabbitMQ node that takes a delivery back after so many milliseconds.
    pub fn rabbitmq_with_consumer_timeout(name: &str, milliseconds: u32) -> Self {
        Self::new(Script::rabbitmq_named(name).with("WARREN_RABBITMQ_CONSUMER_TIMEOUT", milliseconds.to_string()))
    }

    /// Starts a PostgreSQL server.
    pub fn postgres(name: &str) -> Self {
        Self::new(Script::postgres_named(name))
    }

    fn new(script: Script) -> Self {
        Self { url: script.run(&["ensure"]), script }
    }

    /// Returns where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it again, at the same place.
    pub fn start(&self) {
        assert_eq!(self.script.run(&["ensure"]), self.url, "its port was free");
    }

    /// Stops it in order.
    pub fn stop(&self) {
        self.script.run(&["stop"]);
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        self.script.run(&["kill"]);
    }

    /// Runs `rabbitmqctl` against it and returns what that prints.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        self.script.run(&[&["ctl", "--quiet"], arguments].concat())
    }

    /// Runs SQL against it, whether or not it takes writes by default, and returns what that prints.
    pub fn sql(&self, sql: &str) -> String {
        self.script.run(&["psql", "-qAt", "-c", "SET default_transaction_read_only = off", "-c", sql])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.script.run(&["remove"]);
        } else {
            // A second panic would hide the first.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.script.run(&["remove"])));
        }
    }
}
