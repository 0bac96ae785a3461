//! A fleet for tests: the three services as processes of their own, on a real RabbitMQ and a SQLite file.
//!
//! Each fleet has a hub, a folder and ports of its own, so that tests run beside each other. Processes are killed, and
//! queues deleted, when it is dropped.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod binaries;
mod broker;
mod cluster;
mod fleet;
mod inside;
pub mod orders;
mod postgres;
mod process;

pub use binaries::{binary, node, promtool, python};
pub use broker::Amqp;
pub use cluster::Cluster;
pub use fleet::{Fleet, eventually};
pub use inside::{Database, Inside};
pub use postgres::sql;
pub use process::Process;
pub use warren_testing::{Server, amqp_url, free_port, postgres_url, repository};
