//! What is measured, as the command line says it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::contender::Contender;
use crate::{
    client::Way,
    limit::Queues,
    shape::{Shape, Work},
};

/// How often ours and the limit run in turns: on the main row, on the others, in a hurry.
const RUNS: u32 = 5;
const RUNS_OTHER: u32 = 3;
const RUNS_QUICK: u32 = 2;
/// A run in a hurry has this share of the work.
const QUICK_SHARE: u32 = 3;

/// What is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// RabbitMQ
    #[arg(long, value_name = "URL")]
    pub(crate) broker: String,

    /// A PostgreSQL database without hubs; the role must be a superuser's, for a checkpoint
    #[arg(long, value_name = "URL")]
    pub(crate) store: String,

    /// Which kinds of work, with commas
    #[arg(long, value_name = "SHAPES", value_enum, value_delimiter = ',')]
    only: Vec<Shape>,

    /// Which fleets, with commas
    #[arg(long, value_name = "ROWS", value_enum, value_delimiter = ',')]
    rows: Vec<Row>,

    /// In a hurry: the main fleet, two runs each, a third of the work
    #[arg(long)]
    quick: bool,

    /// How many runs of each
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: Option<u32>,

    /// How many instances a run has
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    instances: Option<u32>,

    /// How many instances are under way at a time
    #[arg(long, value_name = "NUMBER", value_parser = inflight)]
    inflight: Option<usize>,

    /// A setting of the fleet, e.g. hub.partitions=2; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) set: Vec<String>,

    /// How many seconds to wait for an idle machine before each run [default: 20, in a hurry 5]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,

    /// Where the figures go
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    pub(crate) output: PathBuf,

    /// Where logs go
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) folder: PathBuf,
}

/// A fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Row {
    /// PostgreSQL, quorum queues, one partition: the main one
    Postgres,
    /// The main one, with the four partitions that a hub has by default
    Four,
    /// The main one, but SQLite
    Sqlite,
    /// The main one, but classic queues
    Classic,
    /// The main one, with starts by the ingress
    Ingress,
    /// The main one, with starts over HTTP
    Http,
}

impl Row {
    const ALL: [Self; 6] = [Self::Postgres, Self::Four, Self::Sqlite, Self::Classic, Self::Ingress, Self::Http];

    /// Returns what flags and reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Four => "four",
            Self::Sqlite => "sqlite",
            Self::Classic => "classic",
            Self::Ingress => "ingress",
            Self::Http => "http",
        }
    }

    /// Returns how its queues are kept, and those of the limit beside it.
    pub(crate) fn queues(self) -> Queues {
        match self {
            Self::Postgres | Self::Four | Self::Sqlite | Self::Ingress | Self::Http => Queues::Quorum,
            Self::Classic => Queues::Classic,
        }
    }

    /// Returns how starts get there.
    pub(crate) fn way(self) -> Way {
        match self {
            Self::Postgres | Self::Four | Self::Sqlite | Self::Classic => Way::Control,
            Self::Ingress => Way::Ingress,
            Self::Http => Way::Http,
        }
    }

    /// Returns how many partitions its hub has: one is enough for one thread with turns, and makes the largest batches.
    pub(crate) fn partitions(self) -> u8 {
        match self {
            Self::Four => 4,
            Self::Postgres | Self::Sqlite | Self::Classic | Self::Ingress | Self::Http => 1,
        }
    }
}

impl Plan {
    pub(crate) fn rows(&self) -> Vec<Row> {
        match (self.rows.as_slice(), self.quick) {
            ([], true) => vec![Row::Postgres],
            ([], false) => Row::ALL.into(),
            (some, _) => some.into(),
        }
    }

    pub(crate) fn shapes(&self) -> Vec<Shape> {
        if self.only.is_empty() { Shape::ALL.into() } else { self.only.clone() }
    }

    pub(crate) fn runs(&self, row: Row) -> u32 {
        let usual = match (self.quick, row) {
            (true, _) => RUNS_QUICK,
            (false, Row::Postgres) => RUNS,
            (false, _) => RUNS_OTHER,
        };
        self.runs.unwrap_or(usual)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience.unwrap_or(if self.quick { 5 } else { 20 }))
    }

    /// Returns who runs in turns.
    pub(crate) fn contenders(&self, row: Row, shape: Shape) -> Vec<Contender> {
        // The limit stands between those that are compared with it. Others than the Rust client have no packs.
        let mut contenders = vec![Contender::Ours, Contender::Limit];
        if row.way() == Way::Control && shape != Shape::L1 {
            contenders.push(Contender::Packed);
        }
        if row == Row::Postgres && !self.quick {
            contenders.push(Contender::Path);
            // A fan-out has no outcome that would matter.
            if shape != Shape::W3 {
                contenders.push(Contender::LimitQueue);
            }
        }
        contenders
    }

    pub(crate) fn work(&self, shape: Shape) -> Work {
        let share = if self.quick { QUICK_SHARE } else { 1 };
        let instances = self.instances.unwrap_or(shape.instances() / share);
        Work { shape, instances, inflight: self.inflight.unwrap_or(shape.inflight()) }
    }
}

fn inflight(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        Ok(_) | Err(_) => Err("must be a whole number from 1 to 10000".into()),
    }
}

/// Reads a setting of a fleet.
pub(crate) fn setting(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if key.contains('.') => Ok(text.into()),
        Some(_) | None => Err("must be SECTION.KEY=VALUE, e.g. hub.partitions=1".into()),
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod test;
