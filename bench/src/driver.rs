//! A process that makes load, or stands in a chain of them: what it and the one that started it say to each other.
//!
//! `ready` on its output once it can begin; a line on its input, and it measures; its figures on its output, and it
//! stays, so that others can still look at it, until its input ends.

use std::{
    io::{self, BufRead, Write},
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::statistics::percentile;

/// What is said when it can begin.
pub(crate) const READY: &str = "ready";

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How many were answered as they should be: instances, or round trips.
    pub(crate) count: usize,
    /// How long all of them took.
    pub(crate) seconds: f64,
    /// How long one took, in the middle.
    pub(crate) p50_ms: f64,
    /// How long one of the slowest took.
    pub(crate) p99_ms: f64,
}

impl Figures {
    /// Returns the figures of answers that took so long each and `seconds` in all.
    pub(crate) fn new(took: Vec<Duration>, seconds: Duration) -> Self {
        let mut took: Vec<f64> = took.iter().map(|one| one.as_secs_f64() * 1e3).collect();
        took.sort_by(f64::total_cmp);
        Self {
            count: took.len(),
            seconds: seconds.as_secs_f64(),
            p50_ms: percentile(&took, 0.5),
            p99_ms: percentile(&took, 0.99),
        }
    }
}

/// Says that it can begin.
pub(crate) fn say_ready() -> anyhow::Result<()> {
    say(READY)
}

/// Says that it can begin, measures when it is told to, says what, and stays until nobody asks any more.
pub(crate) async fn measured(load: impl AsyncFnOnce() -> anyhow::Result<Figures>) -> anyhow::Result<()> {
    say_ready()?;
    heard().await?;
    let figures = load().await?;
    say(&serde_json::to_string(&figures)?)?;
    heard().await
}

/// Waits for a line, or for the end of the input.
async fn heard() -> anyhow::Result<()> {
    let read = || io::stdin().lock().read_line(&mut String::new());
    spawn_blocking(read).await?.map(|_| ()).context("read what is asked")
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("answer")
}
