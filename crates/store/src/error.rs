//! What can go wrong, by what the caller should do about it.

use warren_model::{InstanceId, Partition};

/// The result of a store's method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else owns the partition now. Give up the partition; nothing was written.
    #[error("write partition {partition}: epoch {epoch} has been taken over")]
    Fenced {
        /// Which partition.
        partition: Partition,
        /// The epoch that is over.
        epoch: i64,
    },
    /// The database can't be reached or is too busy. Retry later; nothing was written.
    #[error("reach the store: {0}")]
    Unavailable(String),
    /// Of a start whose ids were taken for new, something is there. Reload, and look before it begins; nothing was written.
    #[error(
        "begin instance {instance} as a new one: its start says `fresh`, but its id, or that of its message, was used before"
    )]
    Used {
        /// Which instance.
        instance: InstanceId,
    },
    /// The connection broke while a commit was on its way. Reload: it may or may not have been written.
    #[error("learn whether a commit was written: {0}")]
    Unknown(String),
    /// A commit does not follow the last one that was written. Reload, unless the one before it is still on its way; nothing
    /// was written.
    #[error("write commit {number} of partition {partition}: the one before it is {last}")]
    OutOfTurn {
        /// Which partition.
        partition: Partition,
        /// The commit's number.
        number: u64,
        /// That of the last one that was written.
        last: u64,
    },
    /// What was given is refused, for good: a row, a page token. Nothing was written.
    #[error("accept what was given: {0}")]
    Refused(String),
    /// What is stored can't be read.
    #[error("read {what}: {why}")]
    Corrupt {
        /// Which row or file.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store belongs to another hub, another partition count or another version of Warren. Fix the configuration.
    #[error("{0}")]
    Mismatch(String),
}
