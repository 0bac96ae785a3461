//! Stops a service when it is asked to: politely at the first signal, at once at the second.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal as listen};

use crate::{Error, Result};

/// The two signals that mean "stop", listened to from the moment this is made.
#[derive(Debug)]
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// Returns a future that ends at SIGTERM or SIGINT (Ctrl-C). A second one ends the process at once, with the exit code
/// that shells expect, for the person who can't wait for the drain.
///
/// Signals count from this call on, not from the first poll; it needs a running tokio runtime.
pub fn signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let wrap = |error: std::io::Error| Error::SetUp { what: "signals", reason: error.to_string() };
    let mut signals = Signals {
        terminate: listen(SignalKind::terminate()).map_err(wrap)?,
        interrupt: listen(SignalKind::interrupt()).map_err(wrap)?,
    };
    Ok(async move {
        let name = signals.next().await.0;
        tracing::info!(signal = name, "stopping; a second signal ends the process at once");
        // Joined by nobody: it ends with the process, or ends it.
        tokio::spawn(async move {
            let (name, code) = signals.next().await;
            tracing::warn!(signal = name, "stopped without draining");
            process::exit(code);
        });
    })
}

impl Signals {
    /// Waits for a signal; returns its name, and the exit code of a process that dies of it.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 128 + 15),
            _ = self.interrupt.recv() => ("SIGINT", 128 + 2),
        }
    }
}

#[cfg(test)]
#[path = "shutdown_test.rs"]
mod test;
