//! Processor time, as /proc has it.

use std::{fs, path::Path};

use anyhow::Context;

/// Microseconds in a tick of /proc: it has been a hundredth of a second on every Linux.
const TICK_US: u64 = 10_000;

/// A process whose time is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: u32,
    /// Whether its children count too, those that have ended included.
    has_children: bool,
}

impl Process {
    /// Returns the process with this id.
    pub(crate) fn one(pid: u32) -> Self {
        Self { pid, has_children: false }
    }

    /// Returns the process with this id and its children.
    pub(crate) fn with_children(pid: u32) -> Self {
        Self { pid, has_children: true }
    }

    /// Returns how much time it has taken since it began, in microseconds.
    pub(crate) fn cpu_us(self) -> anyhow::Result<u64> {
        let stat = Stat::of(&self.pid.to_string()).with_context(|| format!("process {} is gone", self.pid))?;
        let mut ticks = stat.own;
        if self.has_children {
            let living = children(self.pid)?;
            ticks += stat.reaped + living.iter().map(|child| child.own + child.reaped).sum::<u64>();
        }
        Ok(ticks * TICK_US)
    }
}

struct Stat {
    parent: u32,
    /// Ticks of its own.
    own: u64,
    /// Ticks of children that have ended.
    reaped: u64,
}

impl Stat {
    fn of(pid: &str) -> Option<Self> {
        Self::parse(&fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?)
    }

    /// Reads a line of /proc/PID/stat. The name, in parentheses, may hold anything.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: number(11)? + number(12)?,
            reaped: number(13)? + number(14)?,
        })
    }
}

fn children(parent: u32) -> anyhow::Result<Vec<Stat>> {
    let entries = fs::read_dir("/proc").context("read /proc")?;
    let stats = entries.filter_map(|entry| Stat::of(entry.ok()?.file_name().to_str()?));
    Ok(stats.filter(|stat| stat.parent == parent).collect())
}

/// The processors of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    busy: u64,
    all: u64,
}

impl Machine {
    /// Returns what they have done so far.
    pub(crate) fn now() -> anyhow::Result<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").context("read /proc/stat")?).context("read /proc/stat")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks = line.split_whitespace().take(8).map(|text| text.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let idle = ticks.get(3)? + ticks.get(4)?;
        let all = ticks.iter().sum();
        Some(Self { busy: all - idle, all })
    }

    /// Returns how long they were busy since then, in microseconds over all of them.
    pub(crate) fn busy_us(self, since: Self) -> u64 {
        (self.busy - since.busy) * TICK_US
    }

    /// Returns which share of the time since then they were idle.
    pub(crate) fn idle_share(self, since: Self) -> f64 {
        1.0 - (self.busy - since.busy) as f64 / (self.all - since.all).max(1) as f64
    }
}

#[cfg(test)]
#[path = "cpu_test.rs"]
mod test;
