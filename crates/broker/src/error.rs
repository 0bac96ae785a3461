//! What can go wrong, by what the caller should do about it.

/// The result of a broker's method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a broker did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The broker can't be reached, or the channel broke. Retry with backoff.
    #[error("reach the broker at {address}: {why}")]
    Unavailable {
        /// Where, without a password.
        address: String,
        /// What the client library said.
        why: String,
    },
    /// The broker refuses the user, the virtual host or a permission. A person must act; retry slowly.
    #[error("be let in by the broker at {address}: {why}")]
    Refused {
        /// Where, without a password.
        address: String,
        /// What the broker said.
        why: String,
    },
    /// The address can't be understood. Fix the configuration.
    #[error("read the broker's address {address:?}: {why}")]
    Address {
        /// The text, without a password.
        address: String,
        /// What is wrong with it.
        why: String,
    },
}
