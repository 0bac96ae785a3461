//! What the rules found.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

/// What kind of violation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something that was asked for has not happened: an instance did not end, an event was not taken.
    Lost,
    /// Something happened twice: a task's completion, an instance for one message, an event taken; or two outcomes differ.
    Duplicated,
    /// Something happened that nobody asked for, or not as it should.
    Wrong,
    /// Something is left over.
    Leftover,
}

/// One violation, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// What kind it is.
    pub kind: Kind,
    /// The instance, the message, or whatever else it is about.
    pub of: String,
    /// What is wrong.
    pub evidence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}: {}", self.kind, self.of, self.evidence)
    }
}

/// What the judge says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many instances were asked for.
    pub instances: usize,
    /// How many of them ended as they must.
    pub completed: usize,
    /// How many instances there are with their children.
    pub with_children: usize,
    /// How many tasks the histories say were completed, each held against the ledgers.
    pub tasks: usize,
    /// How many events were taken.
    pub signals: usize,
    /// How many runs of activities the ledgers hold.
    pub runs: usize,
    /// How many of those were repetitions of one call, which at-least-once delivery allows.
    pub runs_repeated: usize,
    /// How many runs were told that nobody waits for them, and ended.
    pub stopped: usize,
    /// How many large payloads rest in the store.
    pub payloads: i64,
    /// What is wrong, by kind.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// Adds a violation.
    pub(crate) fn add(&mut self, kind: Kind, of: impl Into<String>, evidence: impl Into<String>) {
        self.violations.push(Violation { kind, of: of.into(), evidence: evidence.into() });
    }

    /// Returns how many things have a violation of this kind.
    pub fn count(&self, kind: Kind) -> usize {
        let of: BTreeSet<&str> =
            self.violations.iter().filter(|found| found.kind == kind).map(|found| found.of.as_str()).collect();
        of.len()
    }
}
