//! What can go wrong, by what the caller should do about it.

use std::{fmt, time::Duration};

use warren_model::{InstanceId, MessageId, Partition, Refusal};

/// The result of a client's method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One instance.
    Instance(InstanceId),
    /// All of a partition.
    Partition(Partition),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(instance) => write!(f, "instance {instance}"),
            Self::Partition(partition) => write!(f, "partition {partition}"),
        }
    }
}

/// Why a client did not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command was not carried out, and won't be however often it is asked. Give up, or ask for something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The command did not reach the hub: nothing was accepted. Retry later.
    #[error("reach hub {hub}: {why}")]
    Unavailable {
        /// Which hub.
        hub: String,
        /// What is in the way, and what mends it.
        why: String,
    },
    /// The command was sent and not answered in time: it may be carried out yet. Ask again with the same message id,
    /// which never acts twice.
    #[error("hear from the owner of {about} within {} s: {why}", within.as_secs_f32())]
    Timeout {
        /// What was asked about.
        about: About,
        /// The id to ask again with.
        message: MessageId,
        /// How long the client waited.
        within: Duration,
        /// What is known of it.
        why: String,
    },
    /// The store did not answer a read.
    #[error(transparent)]
    Store(#[from] warren_store::Error),
    /// An answer makes no sense: the owner is of another version, or has a bug. Don't retry.
    #[error("understand the answer about {about}: {why}")]
    Answer {
        /// What was asked about.
        about: About,
        /// What is wrong with it.
        why: String,
    },
    /// The configuration names another hub than the store holds. Fix the configuration.
    #[error("use hub {configured}: the store holds hub {stored}")]
    Hub {
        /// The hub that the configuration names.
        configured: String,
        /// The hub that the store holds.
        stored: String,
    },
}
