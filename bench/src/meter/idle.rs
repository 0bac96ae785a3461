//! A run begins on an idle machine, or says that it did not.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Machine;

/// How long the machine is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Which share of that time it must be idle.
const IDLE: f64 = 0.9;

/// Waits until the machine is idle, no longer than so; returns whether it is.
pub(crate) async fn wait_for_idle(at_most: Duration) -> anyhow::Result<bool> {
    let until = Instant::now() + at_most;
    loop {
        let since = Machine::now()?;
        sleep(LOOK).await;
        if Machine::now()?.idle_share(since) >= IDLE {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
    }
}
