//! What a connection to RabbitMQ needs to know.

use std::time::Duration;

use crate::Topology;

/// How to reach a broker, and how patient to be with it. Changes nothing after [`super::Amqp::connect_lazily`].
#[derive(Clone, Debug)]
pub struct AmqpConfig {
    /// `amqp://user:password@host:port/vhost`, or `amqps://…`; of a cluster, those of several nodes with commas. Any
    /// of them is tried first, so that a fleet spreads over the nodes, and then one after the other.
    pub url: String,
    /// What the connections are called in the broker's management.
    pub name: String,
    /// The hub's topology.
    pub topology: Topology,
    /// How often the two sides assure each other that they live. The broker drops a silent peer, and gives what it held
    /// to others, after two to three intervals; so it should stay near a third of the lease. Much shorter, a busy machine
    /// looks like a dead one.
    pub heartbeat: Duration,
    /// How long an attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long the broker may take to answer a question (open a channel, declare a queue).
    pub answer_timeout: Duration,
    /// How long the broker may take to confirm a publication. Longer than an alarm of the usual kind would only keep
    /// callers in the dark; after it they hear `Lost` and may publish again.
    pub confirm_timeout: Duration,
    /// How long the broker may refuse everything for a queue before another channel is tried.
    pub refusal_patience: Duration,
    /// The first wait before another attempt to connect; it doubles, with jitter, up to `retry_max`.
    pub retry_min: Duration,
    /// The longest wait before another attempt to connect.
    pub retry_max: Duration,
    /// The wait after a refusal (password, virtual host): only a person can mend it, but without a restart.
    pub retry_refused: Duration,
    /// The largest body, as the topology has it.
    pub body_bytes_max: usize,
}

impl AmqpConfig {
    /// Returns a configuration with the defaults.
    pub fn new(url: impl Into<String>, name: impl Into<String>, topology: Topology) -> Self {
        Self {
            url: url.into(),
            name: name.into(),
            body_bytes_max: topology.bodies().bytes_max,
            topology,
            heartbeat: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(30),
            refusal_patience: Duration::from_secs(2),
            retry_min: Duration::from_millis(200),
            retry_max: Duration::from_secs(5),
            retry_refused: Duration::from_secs(15),
        }
    }
}
