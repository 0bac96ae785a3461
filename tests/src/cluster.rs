//! A cluster of three RabbitMQ nodes of its own.

use std::process::{Command, Output};

use crate::repository;

/// Three nodes on this machine. Stopped and deleted when dropped.
pub struct Cluster {
    url: String,
}

impl Cluster {
    /// Starts and joins the nodes. One at a time: they are the repository's own.
    pub fn start() -> Self {
        let url = said(run(&["up"]));
        Self { url }
    }

    /// Returns the addresses of its nodes, with commas.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of the node that leads a quorum queue.
    pub fn leader(&self, queue: &str) -> String {
        said(run(&["leader", queue]))
    }

    /// Kills a node at once, as `kill -9` does.
    pub fn kill(&self, node: &str) {
        said(run(&["kill", node]));
    }

    /// Starts a node again and waits until it answers.
    pub fn revive(&self, node: &str) {
        said(run(&["start", node]));
    }

    /// Runs `rabbitmqctl` against a node and returns the lines that it prints.
    pub fn ctl(&self, node: &str, arguments: &[&str]) -> Vec<String> {
        said(run(&[&["ctl", node, "--quiet"], arguments].concat())).lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = run(&["down"]);
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(repository().join("deploy/local/rabbitmq-cluster")).args(arguments).output().unwrap()
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().into()
}
