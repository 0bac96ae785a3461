//! Who is compared.

/// One of those who run in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The fleet, one message per task
    Ours,
    /// Lapin alone with the same messages
    Limit,
    /// The same, with outcomes by a queue like the others instead of direct reply-to
    LimitQueue,
}

impl Contender {
    /// Returns what reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Limit => "limit",
            Self::LimitQueue => "limit_queue",
        }
    }
}
