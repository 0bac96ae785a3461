//! The sentence about a message that can't be understood.

/// Why a message can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Malformed {
    /// One sentence a person can act on: which property or header, and what was expected.
    pub reason: String,
}

impl Malformed {
    /// Returns the reason as an error.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
