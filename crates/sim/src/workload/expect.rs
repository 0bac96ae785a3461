//! How an instance may end.

use warren_model::{Outcome, Payload};

/// What a workload allows.
#[derive(Clone, Debug)]
pub(crate) enum Expect {
    /// This result.
    Value(Payload),
    /// A failure with this code.
    Failure(&'static str),
    /// Any of these.
    Any(Vec<Expect>),
}

impl Expect {
    pub(crate) fn value<T: serde::Serialize>(value: &T) -> Self {
        Self::Value(Payload::of(value).expect("results of the workload are JSON"))
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self::Any(vec![self, other])
    }

    pub(crate) fn allows(&self, outcome: &Outcome) -> bool {
        match self {
            Self::Value(value) => outcome.as_ref() == Ok(value),
            Self::Failure(code) => outcome.as_ref().is_err_and(|failure| failure.code == *code),
            Self::Any(several) => several.iter().any(|one| one.allows(outcome)),
        }
    }
}
