//! A cluster of three RabbitMQ nodes of its own.

use warren_testing::Script;

/// Three nodes on this machine. Stopped and deleted when dropped.
pub struct Cluster {
    script: Script,
    url: String,
}

impl Cluster {
    /// Starts and joins the nodes. One at a time: they are the repository's own.
    pub fn start() -> Self {
        let script = Script::new("deploy/local/rabbitmq-cluster");
        Self { url: script.run(&["up"]), script }
    }

    /// Returns the addresses of its nodes, with commas.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of the node that leads a quorum queue.
    pub fn leader(&self, queue: &str) -> String {
        self.script.run(&["leader", queue])
    }

    /// Kills a node at once, as `kill -9` does.
    pub fn kill(&self, node: &str) {
        self.script.run(&["kill", node]);
    }

    /// Starts a node again and waits until it answers.
    pub fn revive(&self, node: &str) {
        self.script.run(&["start", node]);
    }

    /// Runs `rabbitmqctl` against a node and returns the lines that it prints.
    pub fn ctl(&self, node: &str, arguments: &[&str]) -> Vec<String> {
        self.script.run(&[&["ctl", node, "--quiet"], arguments].concat()).lines().map(ToOwned::to_owned).collect()
    }

    /// Prints what the queues hold, as the first node that answers says.
    fn show(&self) {
        let columns = ["name", "messages_ready", "messages_unacknowledged", "consumers", "leader", "online"];
        let list = |node| self.script.output(&[&["ctl", node, "--quiet", "list_queues"], &columns[..]].concat());
        let shown = ["1", "2", "3"].map(list);
        let found = shown.iter().find(|output| output.status.success());
        let queues = found.map_or("no node answers".into(), |output| String::from_utf8_lossy(&output.stdout));
        eprintln!("---- queues of the cluster at {}\n{queues}", self.url);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
        let _ = self.script.output(&["down"]);
    }
}
