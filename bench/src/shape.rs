//! The four kinds of work that everything is measured by.

use clap::{Args, ValueEnum};

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Shape {
    /// Many instances of one activity
    W1,
    /// Many instances that call five, one after the other
    W2,
    /// Instances that call a thousand at once
    W3,
    /// Instances of one activity, one after the other: how long each takes
    L1,
}

impl Shape {
    /// Every one.
    pub(crate) const ALL: [Self; 4] = [Self::W1, Self::W2, Self::W3, Self::L1];

    /// Returns what flags and reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W2 => "w2",
            Self::W3 => "w3",
            Self::L1 => "l1",
        }
    }

    /// Returns what its rate is counted in.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::W1 | Self::W2 => "instances/s",
            Self::W3 => "activities/s",
            Self::L1 => "ms each",
        }
    }

    /// Returns with how many decimals its rate is shown.
    pub(crate) fn decimals(self) -> usize {
        match self {
            Self::W1 | Self::W2 | Self::W3 => 0,
            Self::L1 => 2,
        }
    }

    /// Returns how many activities an instance calls one after the other.
    pub(crate) fn steps(self) -> u32 {
        match self {
            Self::W1 | Self::W3 | Self::L1 => 1,
            Self::W2 => 5,
        }
    }

    /// Returns how many it calls at once.
    pub(crate) fn width(self) -> u32 {
        match self {
            Self::W1 | Self::W2 | Self::L1 => 1,
            Self::W3 => 1_000,
        }
    }

    /// Returns how many activities an instance calls in all.
    pub(crate) fn activities(self) -> u32 {
        self.steps() * self.width()
    }

    /// Returns how many instances a run has, unless somebody says otherwise: some seconds of work.
    pub(crate) fn instances(self) -> u32 {
        match self {
            Self::W1 => 30_000,
            Self::W2 => 10_000,
            Self::W3 => 120,
            Self::L1 => 1_500,
        }
    }

    /// Returns how many instances are under way at a time.
    pub(crate) fn inflight(self) -> usize {
        match self {
            Self::W1 | Self::W2 => 1_000,
            Self::W3 => 2,
            Self::L1 => 1,
        }
    }
}

/// How much of it, as a process that makes load is told.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    /// Which kind of work
    #[arg(long, value_enum)]
    pub(crate) shape: Shape,

    /// How many instances
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) instances: u32,

    /// How many of them are under way at a time
    #[arg(long, value_name = "NUMBER")]
    pub(crate) inflight: usize,
}

impl Work {
    /// Returns the arguments that say so.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let Self { shape, instances, inflight } = self;
        [("shape", shape.name().to_owned()), ("instances", instances.to_string()), ("inflight", inflight.to_string())]
            .into_iter()
            .flat_map(|(name, value)| [format!("--{name}"), value])
            .collect()
    }

    /// Returns how many instances come before what is measured, so that connections, caches and statements are warm.
    pub(crate) fn warm_up(&self) -> u32 {
        (self.instances / 10).clamp(1, 1_000)
    }

    /// Returns how many messages a client sends where no owner fans out for it.
    pub(crate) fn messages(&self) -> u32 {
        self.instances * self.shape.width()
    }

    /// Returns how many of those are under way at a time: no more than a consumer takes.
    pub(crate) fn messages_inflight(&self) -> usize {
        (self.inflight * self.shape.width() as usize).min(1_000)
    }
}

#[cfg(test)]
#[path = "shape_test.rs"]
mod test;
