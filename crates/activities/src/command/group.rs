//! A program and whatever it started, as a process group.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, copy, sink},
    process::{Child, ChildStderr, ChildStdout, Command},
    runtime::Handle,
    signal::unix::{self, SignalKind},
    time::timeout,
};

use super::output::{Broken, Output};

/// How long the pipes of a program that has ended may stay open. Its group has been killed by then: only what has left the
/// group can hold them.
const PIPES: Duration = Duration::from_secs(1);

/// A group of processes, of which the first is ours. Killed when dropped.
///
/// The first is not reaped before the others are killed: as long as it is there, no other group can get its number.
#[derive(Debug)]
struct Group {
    first: Child,
    id: Pid,
    /// Open to the end: who complains while it stops must not die of that.
    pipes: Pipes,
}

#[derive(Debug)]
struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Group {
    fn start(command: &mut Command) -> io::Result<Self> {
        let mut first = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = first.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.expect("a child that nobody has waited for has an id");
        let pipes = Pipes { stdout: first.stdout.take(), stderr: first.stderr.take() };
        Ok(Self { first, id, pipes })
    }

    async fn reap(mut self) -> io::Result<ExitStatus> {
        signal(self.id, Signal::KILL);
        self.first.wait().await
    }

    async fn stop(mut self, grace: Duration) -> io::Result<ExitStatus> {
        signal(self.id, Signal::TERM);
        let (id, Pipes { stdout, stderr }) = (self.id, &mut self.pipes);
        let end = async { tokio::join!(ended(id), discard(stdout), discard(stderr)) };
        let _ = timeout(grace, end).await;
        self.reap().await
    }
}

/// Waits until the first of a group has ended; it stays a zombie.
async fn ended(id: Pid) -> io::Result<()> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // Before the first look, or an end between the two would go unnoticed.
    let mut ends = unix::signal(SignalKind::child())?;
    while waitid(WaitId::Pid(id), look)?.is_none() {
        ends.recv().await;
    }
    Ok(())
}

/// There may be nobody left to be told.
fn signal(id: Pid, signal: Signal) {
    let _ = kill_process_group(id, signal);
}

async fn discard(pipe: &mut Option<impl AsyncRead + Unpin>) {
    if let Some(pipe) = pipe {
        let _ = copy(pipe, &mut sink()).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once it is reaped its number may be another's.
        if self.first.id().is_some() {
            signal(self.id, Signal::KILL);
        }
    }
}

/// A program that runs. If it is dropped meanwhile, it is stopped as politely as else, unless the runtime ends too.
#[derive(Debug)]
pub(super) struct Running {
    group: Option<Group>,
    grace: Duration,
}

impl Running {
    pub(super) fn start(mut command: Command, grace: Duration) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self { group: Some(Group::start(&mut command)?), grace })
    }

    /// Writes the program's input, reads what it writes, and waits for its end.
    pub(super) async fn feed_and_read(&mut self, input: &[u8], output: &mut Output) -> Result<(), Broken> {
        let group = self.group.as_mut().expect("a group is taken at the end alone");
        let (id, stdin) = (group.id, group.first.stdin.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program need not read.
                let _ = stdin.write_all(input).await;
            }
            Ok(())
        };
        let (Output { written, complaints }, Pipes { stdout, stderr }) = (output, &mut group.pipes);
        let pipes = async { tokio::try_join!(feed, written.read(stdout), complaints.read(stderr)).map(drop) };
        tokio::pin!(pipes);
        tokio::select! {
            done = &mut pipes => {
                done?;
                ended(id).await?;
            }
            end = ended(id) => {
                end?;
                signal(id, Signal::KILL);
                timeout(PIPES, pipes).await.unwrap_or(Ok(()))?;
            }
        }
        Ok(())
    }

    /// Returns how it ended, and ends what it has left behind.
    pub(super) async fn reap(mut self) -> io::Result<ExitStatus> {
        self.group.take().expect("a group is taken at the end alone").reap().await
    }

    /// Ends it: asked to first, then forced to.
    pub(super) async fn stop(mut self) -> io::Result<ExitStatus> {
        self.group.take().expect("a group is taken at the end alone").stop(self.grace).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(group), Ok(runtime)) = (self.group.take(), Handle::try_current()) {
            let grace = self.grace;
            // Joined by nobody: it ends within the grace, and with the runtime at the latest.
            runtime.spawn(async move { group.stop(grace).await });
        }
    }
}
