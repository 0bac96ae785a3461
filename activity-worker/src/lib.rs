//! The activity worker.

mod amqp;
mod endpoint;
mod error;
mod plan;
mod run;
mod shell;
pub mod worker;

pub use error::{Error, Result};
pub use run::{run, run_with};
pub use shell::health;
