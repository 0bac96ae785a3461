//! A process that makes load, or stands in a chain of them, seen from the one that started it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::{task::spawn_blocking, time::timeout};

use crate::driver::{Figures, READY};

/// How long it may take to be ready, its warming up included.
const BEGIN: Duration = Duration::from_secs(120);
/// How long it may measure.
const MEASURE: Duration = Duration::from_secs(600);

/// A process: this program in one of its roles. Killed when dropped.
pub(crate) struct Part {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: Option<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(name: &'static str, arguments: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start the {name}"))?;
        let input = child.stdin.take().context("a child has an input")?;
        let output = child.stdout.take().map(BufReader::new);
        let mut part = Self { name, child, input, output };
        let line = timeout(BEGIN, part.line()).await.with_context(|| format!("the {name} is not ready in time"))??;
        ensure!(line == READY, "the {name} says {line:?}, and {READY:?} was expected");
        Ok(part)
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it measure; returns what.
    pub(crate) async fn measure(&mut self) -> anyhow::Result<Figures> {
        let name = self.name;
        self.input.write_all(b"go\n").and_then(|()| self.input.flush()).with_context(|| format!("ask the {name}"))?;
        let line = timeout(MEASURE, self.line()).await.with_context(|| format!("the {name} takes too long"))??;
        serde_json::from_str(&line).with_context(|| format!("the {name} says {line:?}, and that is no figures"))
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut output = self.output.take().context("the output is read by one at a time")?;
        let read = move || {
            let mut line = String::new();
            output.read_line(&mut line).map(|_| (line, output))
        };
        let (line, output) = spawn_blocking(read).await??;
        self.output = Some(output);
        if line.is_empty() {
            bail!("the {} has ended: {:?}", self.name, self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
