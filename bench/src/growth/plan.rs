//! What is measured, as the command line says it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "Examples:
  bench/run growth                                everything, within 25 minutes
  bench/run growth --quick                        smaller sizes and fewer rounds, within 4 minutes
  bench/run growth --only history,fan-out         two parts of it
  bench/run growth --only store --rounds 5        one part, more rounds

Exit code 1: by histories, stores or fan-outs something grows beyond --ratio-max. Logs of the services are in target/bench.";

/// What is measured, and where.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Plan {
    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    pub(crate) broker: String,

    /// A PostgreSQL database without hubs; the role must be a superuser's, for a checkpoint
    #[arg(long, value_name = "URL")]
    pub(crate) store: String,

    /// Which parts, with commas
    #[arg(long, value_name = "PARTS", value_enum, value_delimiter = ',')]
    only: Vec<Part>,

    /// In a hurry: smaller sizes, two rounds
    #[arg(long)]
    pub(crate) quick: bool,

    /// How often each size is measured [default: 3, in a hurry 2]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: Option<u32>,

    /// How much more a piece of work may cost at the largest size than at a small one
    #[arg(long, value_name = "RATIO", default_value_t = 1.2)]
    pub(crate) ratio_max: f64,

    /// A setting of the fleets, e.g. hub.partitions=1; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = crate::speed::setting)]
    pub(crate) set: Vec<String>,

    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = "target/bench-growth.json")]
    pub(crate) output: PathBuf,

    /// Where logs go
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
}

/// One thing that nothing should grow with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The length of an instance's history
    History,
    /// Finished instances in the store
    Store,
    /// Activities that an instance calls at once
    FanOut,
    /// Processes of activity-worker
    Workers,
    /// Processes of orchestrator-svc
    Replicas,
    /// Memory of orchestrator-svc per instance
    Memory,
}

impl Part {
    const ALL: [Self; 6] = [Self::History, Self::Store, Self::FanOut, Self::Workers, Self::Replicas, Self::Memory];

    /// Returns what flags and reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Store => "store",
            Self::FanOut => "fan-out",
            Self::Workers => "workers",
            Self::Replicas => "replicas",
            Self::Memory => "memory",
        }
    }

    /// Returns what it does, for those who wait.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::History => "an event of a long history, while it is in memory and after it was not",
            Self::Store => "an instance beside many that have ended",
            Self::FanOut => "an activity among many of one instance",
            Self::Workers => "an instance with more processes of activity-worker",
            Self::Replicas => "an instance with more processes of orchestrator-svc",
            Self::Memory => "memory of an instance that waits",
        }
    }

    /// Returns what it is measured at.
    pub(crate) fn sizes(self, is_quick: bool) -> &'static [u32] {
        match (self, is_quick) {
            (Self::History | Self::FanOut, false) => &[10, 100, 1_000, 10_000, 100_000],
            (Self::History | Self::FanOut, true) => &[10, 100, 1_000, 10_000],
            (Self::Store, false) => &[1_000, 10_000, 100_000, 1_000_000],
            (Self::Store, true) => &[1_000, 10_000, 50_000],
            (Self::Workers, false) => &[1, 2, 4, 8, 16],
            (Self::Workers, true) => &[1, 4],
            (Self::Replicas, false) => &[1, 2, 3],
            (Self::Replicas, true) => &[1, 2],
            (Self::Memory, false) => &[10_000, 50_000],
            (Self::Memory, true) => &[4_000, 12_000],
        }
    }
}

impl Plan {
    pub(crate) fn parts(&self) -> Vec<Part> {
        if self.only.is_empty() { Part::ALL.into() } else { self.only.clone() }
    }

    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 3 })
    }

    /// Returns how many instances of one activity a round has.
    pub(crate) fn instances(&self) -> u32 {
        if self.quick { 2_000 } else { 5_000 }
    }

    /// Returns how many activities a round has, one after the other.
    pub(crate) fn steps(&self) -> u32 {
        if self.quick { 800 } else { 2_000 }
    }

    /// Returns how many activities a round has at least, many at once.
    pub(crate) fn activities(&self) -> u32 {
        if self.quick { 10_000 } else { 20_000 }
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod test;
