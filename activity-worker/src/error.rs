//! Why a worker can't serve. A broker that is away is no such reason: the worker waits for it.

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says why a worker can't serve. All of it is for a person to mend; a retry would fail again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry has no activities.
    #[error("serve work items: no activity is registered, add one with Registry::activity")]
    NothingToServe,
    /// A queue is to be served for which there is no activity.
    #[error(
        "serve work-item queue {queue:?} (setting worker.queues): no registered activity has it, those that have one: {known}"
    )]
    UnknownQueue {
        /// The queue.
        queue: String,
        /// The queues of the registered activities.
        known: String,
    },
    /// No activity could ever run.
    #[error("serve work items: worker.concurrency = 0, must be at least 1")]
    NoSlots,
    /// The hub or a queue has a name that AMQP can't carry.
    #[error("name the queues of the hub: {0}")]
    Name(#[from] warren_broker::NameError),
    /// The broker can't be used at all.
    #[error(transparent)]
    Broker(#[from] warren_broker::Error),
    /// The payload store can't be used at all.
    #[error(transparent)]
    Payloads(#[from] warren_store::Error),
    /// The process can't be set up: settings, logs, signals, the health endpoint.
    #[error(transparent)]
    Service(#[from] warren_service::Error),
}
