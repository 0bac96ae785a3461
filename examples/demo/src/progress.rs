//! Shows how far the orders are: one line that changes on a terminal, a line now and then elsewhere.

use std::{
    cell::Cell,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use tokio::{
    select,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::verdict::End;

/// How often the line changes on a terminal.
const TERMINAL: Duration = Duration::from_millis(200);
/// How often there is a new line elsewhere.
const LINES: Duration = Duration::from_secs(2);

/// How far the orders are.
pub(crate) struct Progress {
    all: usize,
    completed: Cell<usize>,
    failed: Cell<usize>,
    lost: Cell<usize>,
    begin: Instant,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new(all: usize) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let [completed, failed, lost] = [(); 3].map(|()| Cell::new(0));
        Self { all, completed, failed, lost, begin: Instant::now(), is_terminal }
    }

    /// Counts an order that ended.
    pub(crate) fn ended(&self, end: &End) {
        let counter = match end {
            End::Completed(_) => &self.completed,
            End::Failed { .. } => &self.failed,
            End::Lost(_) => &self.lost,
        };
        counter.set(counter.get() + 1);
    }

    /// Shows the progress until `work` is done.
    pub(crate) async fn shown_while<T>(&self, work: impl Future<Output = T>) -> T {
        let mut ticks = interval(if self.is_terminal { TERMINAL } else { LINES });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let mut work = std::pin::pin!(work);
        loop {
            select! {
                done = &mut work => {
                    self.show(true);
                    return done;
                }
                _ = ticks.tick() => self.show(false),
            }
        }
    }

    /// A terminal that is gone is no reason to stop.
    fn show(&self, is_last: bool) {
        let text = self.text();
        let mut out = io::stdout();
        let _ = match (self.is_terminal, is_last) {
            (true, false) => write!(out, "\r\x1b[2K{text}"),
            (true, true) => writeln!(out, "\r\x1b[2K{text}"),
            (false, _) => writeln!(out, "{text}"),
        };
        let _ = out.flush();
    }

    fn text(&self) -> String {
        let [completed, failed, lost] = [&self.completed, &self.failed, &self.lost].map(Cell::get);
        let ended = completed + failed + lost;
        let lost = if lost == 0 { String::new() } else { format!(", {lost} lost") };
        let seconds = self.begin.elapsed().as_secs_f64();
        format!("{ended:>5} of {} ended: {completed} completed, {failed} failed{lost}; {seconds:.1} s", self.all)
    }
}
