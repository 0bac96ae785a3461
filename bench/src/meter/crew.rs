//! Processes that work together, and what each takes of the processors.

use std::collections::BTreeMap;

use super::{Machine, Process};

/// The processes of a run by what they are; several may be the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crew(Vec<(&'static str, Process)>);

/// What they and the machine had done at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    machine: Machine,
    cpu_us: BTreeMap<&'static str, u64>,
}

/// What was done between two moments, in microseconds of processor time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) cpu_us: BTreeMap<&'static str, u64>,
    /// What everybody else took.
    pub(crate) others_us: u64,
}

impl Crew {
    pub(crate) fn add(&mut self, name: &'static str, process: Process) {
        self.0.push((name, process));
    }

    /// Reads what they have done so far.
    pub(crate) fn read(&self) -> anyhow::Result<Reading> {
        let machine = Machine::now()?;
        let mut cpu_us = BTreeMap::new();
        for (name, process) in &self.0 {
            *cpu_us.entry(*name).or_default() += process.cpu_us()?;
        }
        Ok(Reading { machine, cpu_us })
    }
}

impl Reading {
    /// Returns what was done since then by the same processes.
    pub(crate) fn since(&self, before: &Self) -> Taken {
        let taken = |name: &str, us: u64| us.saturating_sub(before.cpu_us.get(name).copied().unwrap_or(0));
        let cpu_us: BTreeMap<_, _> = self.cpu_us.iter().map(|(name, us)| (*name, taken(name, *us))).collect();
        let others_us = self.machine.busy_us(before.machine).saturating_sub(cpu_us.values().sum());
        Taken { cpu_us, others_us }
    }
}

impl Taken {
    /// Returns which share of the processors everybody else took, if it was for so long.
    pub(crate) fn others_share(&self, seconds: f64) -> f64 {
        let cores = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        self.others_us as f64 / (seconds * 1e6 * cores)
    }
}

#[cfg(test)]
#[path = "crew_test.rs"]
mod test;
