//! Mistakes that can be made on purpose, to show that the invariants see them.

/// A mistake in the simulated shell or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// Deliveries are acknowledged when they arrive, not after their commit.
    AckBeforeCommit,
    /// The store lets an epoch that is over write.
    NoFence,
    /// Owners are told of no earlier command and of no message from another partition that was taken before.
    NoDuplicateCheck,
    /// The store believes that whatever is said to be new is new.
    NoFreshCheck,
    /// Activities are not told to end.
    NoCancellation,
}

impl Mutation {
    /// Every mutation.
    pub const ALL: [Self; 5] =
        [Self::AckBeforeCommit, Self::NoFence, Self::NoDuplicateCheck, Self::NoFreshCheck, Self::NoCancellation];
}

#[cfg(test)]
#[path = "mutation_test.rs"]
mod test;
