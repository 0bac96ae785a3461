//! What tests and benchmarks need of the machine they run on: real servers, and ports that nobody else takes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod ports;
mod server;
mod servers;

pub use ports::free_port;
pub use server::Server;
pub use servers::{Script, amqp_url, postgres_url, repository};
