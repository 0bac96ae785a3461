//! RabbitMQ and PostgreSQL of the storm's own, through the scripts in deploy/local.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

/// The first port that the storm's RabbitMQ tries.
const RABBITMQ_PORT: &str = "5775";
/// The first port that its PostgreSQL tries.
const POSTGRES_PORT: &str = "5534";

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// RabbitMQ.
    Broker,
    /// PostgreSQL.
    Database,
}

/// Runs the scripts. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    scripts: PathBuf,
    local: PathBuf,
}

impl Servers {
    /// Returns the servers whose data are in `local`.
    pub(crate) fn new(repository: &Path, local: &Path) -> Self {
        Self { scripts: repository.join("deploy/local"), local: local.to_owned() }
    }

    /// Runs a command of a server's script, e.g. `ensure`; returns what it prints. Takes as long as the server does.
    pub(crate) async fn run(&self, server: Server, arguments: &[&str]) -> anyhow::Result<String> {
        let script = match server {
            Server::Broker => "rabbitmq",
            Server::Database => "postgres",
        };
        let mut command = Command::new(self.scripts.join(script));
        command.args(arguments).stdin(Stdio::null()).env("WARREN_LOCAL", &self.local);
        command.env("WARREN_RABBITMQ_PORT", RABBITMQ_PORT).env("WARREN_POSTGRES_PORT", POSTGRES_PORT);
        let what = format!("deploy/local/{script} {}", arguments.join(" "));
        let output = tokio::task::spawn_blocking(move || command.output()).await?.with_context(|| what.clone())?;
        if !output.status.success() {
            bail!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
