//! Who is compared.

/// One of those who run in turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The fleet, with a client that neither sends packs nor takes them
    Ours,
    /// The fleet, with everything packed that can be
    Packed,
    /// Lapin alone with the same messages
    Limit,
    /// The same, with outcomes by a queue like the others instead of direct reply-to
    LimitQueue,
    /// The limit with an owner that commits, and no engine
    Path,
}

impl Contender {
    /// Returns what reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Packed => "packed",
            Self::Limit => "limit",
            Self::LimitQueue => "limit_queue",
            Self::Path => "commit_path",
        }
    }

    /// Returns whether it writes to the database.
    pub(crate) fn has_store(self) -> bool {
        match self {
            Self::Ours | Self::Packed | Self::Path => true,
            Self::Limit | Self::LimitQueue => false,
        }
    }
}
