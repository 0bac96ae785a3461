//! What the storm says while it goes on.

use std::io::Write;

use tokio::time::Instant;

/// Prints lines with the time. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress(Instant);

impl Progress {
    /// Begins to count the time.
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Prints a line. Nobody listens any more: no reason to end a storm.
    pub(crate) fn say(self, text: &str) {
        let seconds = self.0.elapsed().as_secs();
        let _ = writeln!(std::io::stderr(), "{:>2}:{:02}  {text}", seconds / 60, seconds % 60);
    }

    /// Returns the minutes that have passed.
    pub(crate) fn minutes(self) -> f64 {
        self.0.elapsed().as_secs_f64() / 60.0
    }
}
