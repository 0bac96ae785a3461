//! One process of the fleet, which may be killed, frozen and started again.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};

/// This very program, also when somebody has built another in its place since it began.
const PROGRAM: &str = "/proc/self/exe";
/// How often a process is looked at while its end is awaited.
const LOOK: Duration = Duration::from_millis(10);

/// A service, running or not. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

/// A signal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    /// SIGTERM: stop politely.
    Terminate,
    /// SIGSTOP: freeze.
    Freeze,
    /// SIGCONT: thaw.
    Thaw,
}

impl Process {
    /// Returns a process that does not run yet: this program with these arguments.
    pub(crate) fn new(name: &str, arguments: Vec<String>, folder: &Path) -> Self {
        Self { name: name.to_owned(), arguments, log: folder.join(format!("{name}.log")), child: None }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts it, in a group of its own, so that Ctrl-C reaches the storm alone; it ends with the storm, which holds its
    /// standard input.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log).context("open a log")?;
        let child = Command::new(PROGRAM)
            .arg0("warren-chaos")
            .args(&self.arguments)
            .env_remove("WARREN_CONFIG")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {}", self.name))?;
        self.child = Some(child);
        Ok(())
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().with_context(|| format!("kill {}", self.name))?;
            child.wait()?;
        }
        Ok(())
    }

    /// Sends it a signal. It is a child that nobody has waited for, so its pid is still its own.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let Some(child) = &self.child else { bail!("{} does not run", self.name) };
        let flag = match signal {
            Signal::Terminate => "-TERM",
            Signal::Freeze => "-STOP",
            Signal::Thaw => "-CONT",
        };
        let status = Command::new("kill").arg(flag).arg(child.id().to_string()).status().context("run kill")?;
        if !status.success() {
            bail!("kill {flag} {} failed", self.name);
        }
        Ok(())
    }

    /// Asks it to stop and waits; returns whether it did within `patience`, and kills it if not.
    pub(crate) async fn stop(&mut self, patience: Duration) -> anyhow::Result<bool> {
        self.signal(Signal::Terminate)?;
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Some(status) = self.ended()? {
                self.child = None;
                return Ok(status.success());
            }
            sleep(LOOK).await;
        }
        self.kill()?;
        Ok(false)
    }

    /// Returns how it ended, if it has ended by itself.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { return Ok(None) };
        Ok(child.try_wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGKILL ends a frozen process too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
