//! The activity worker: consumes work items, runs activities, reports results.
//!
//! Link it into a program of your own and register your functions; this is a whole worker:
//!
//! ```no_run
//! use warren::{Activity, ActivityContext, Failure, Registry};
//! use warren_service::{cli::ServiceArgs, shutdown};
//!
//! const GREET: Activity<String, String> = Activity::new("greet");
//!
//! async fn greet(_: ActivityContext, name: String) -> Result<String, Failure> {
//!     Ok(format!("hello, {name}"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), activity_worker::Error> {
//!     let Some(settings) = ServiceArgs::default().begin("greeter", Vec::new())? else { return Ok(()) };
//!     let registry = Registry::new().activity(GREET, greet);
//!     activity_worker::run(&settings, registry, shutdown::signal()?).await
//! }
//! ```
//!
//! Activities run on the tokio runtime that serves the queues. One that blocks its thread (a database driver without
//! async, heavy arithmetic, `std::thread::sleep`) holds up others, and can't be ended when the worker stops: put such
//! code into [`tokio::task::spawn_blocking`].
//!
//! An activity runs at least once. It runs again if the worker dies, or loses its broker, between the activity's first
//! effect and the broker's receipt of the reply; give `ActivityContext::idempotency_key` to whatever must not act twice.
//!
//! The decisions are in [`worker`], a type without I/O; the shell around it moves bytes.

mod endpoint;
mod error;
mod plan;
mod run;
mod shell;
pub mod worker;

pub use error::{Error, Result};
pub use run::{run, run_with, runtime};
pub use shell::health;
