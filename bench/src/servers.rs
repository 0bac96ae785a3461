//! RabbitMQ and PostgreSQL of the benchmark's own, through the scripts in deploy/local; `bench/run` starts and stops them.

use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use tokio::task::spawn_blocking;

use crate::limit::Queues;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// RabbitMQ.
    Broker,
    /// PostgreSQL.
    Database,
}

/// Runs a command of a server's script; returns what it prints.
pub(crate) async fn run(server: Server, arguments: &[&str]) -> anyhow::Result<String> {
    let script = match server {
        Server::Broker => "deploy/local/rabbitmq",
        Server::Database => "deploy/local/postgres",
    };
    let mut command = Command::new(script);
    command.args(arguments).stdin(Stdio::null());
    let what = format!("{script} {}", arguments.join(" "));
    let output = spawn_blocking(move || command.output()).await?.with_context(|| what.clone())?;
    if !output.status.success() {
        bail!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the id of a server's process.
pub(crate) async fn pid(server: Server) -> anyhow::Result<u32> {
    let status = run(server, &["status"]).await?;
    read_pid(&status).with_context(|| format!("{status:?} names no process"))
}

fn read_pid(status: &str) -> Option<u32> {
    status.split_once("pid ")?.1.split(',').next()?.parse().ok()
}

/// Returns the broker's version.
pub(crate) async fn broker_version() -> anyhow::Result<String> {
    run(Server::Broker, &["ctl", "-q", "version"]).await
}

/// Fails unless every queue whose name begins with `prefix` is durable and kept so, and everybody who publishes there
/// waits for confirms; returns how many queues there are.
pub(crate) async fn check_queues(prefix: &str, queues: Queues) -> anyhow::Result<usize> {
    let table =
        run(Server::Broker, &["ctl", "-q", "--no-table-headers", "list_queues", "name", "type", "durable"]).await?;
    count_queues(&table, prefix, queues)
}

fn count_queues(table: &str, prefix: &str, queues: Queues) -> anyhow::Result<usize> {
    let mut count = 0;
    for line in table.lines().filter(|line| line.starts_with(prefix)) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, kind, durable] = fields[..] else { bail!("the broker says {line:?} of a queue") };
        ensure!(kind == queues.name(), "queue {name} is {kind}, and was to be {}", queues.name());
        ensure!(durable == "true", "queue {name} is not durable: figures count only with durable ones");
        count += 1;
    }
    ensure!(count > 0, "the broker has no queue {prefix}…");
    Ok(count)
}

/// Fails unless a queue is there and has no message.
pub(crate) async fn check_empty(queue: &str) -> anyhow::Result<()> {
    let table = run(Server::Broker, &["ctl", "-q", "--no-table-headers", "list_queues", "name", "messages"]).await?;
    let messages = table.lines().find_map(|line| line.strip_prefix(queue)?.trim().parse::<u64>().ok());
    let messages = messages.with_context(|| format!("the broker has no queue {queue}"))?;
    ensure!(messages == 0, "queue {queue} has {messages} messages: something was refused");
    Ok(())
}

#[cfg(test)]
#[path = "servers_test.rs"]
mod test;
