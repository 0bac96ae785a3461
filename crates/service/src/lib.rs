//! What the three services share: settings, telemetry, shutdown, health, and the flags of their command lines.
//!
//! Nothing here knows of orchestrations: no store, no engine. A service's `main` begins so:
//!
//! ```no_run
//! # use warren_service::{cli::ServiceArgs, health::Health, shutdown};
//! # async fn main_of_a_service(args: ServiceArgs) -> Result<(), warren_service::Error> {
//! let Some(settings) = args.begin("orchestrator-svc", Vec::new())? else { return Ok(()) };
//! let health = Health::new(&["broker", "store"]);
//! let stop = shutdown::signal()?;
//! # let _ = (settings, health, stop); Ok(())
//! # }
//! ```

pub mod allocator;
pub mod backoff;
pub mod cli;
pub mod config;
mod error;
pub mod health;
pub mod hub;
pub mod listen;
pub mod metrics;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod template;
pub mod traces;

pub use error::{Error, Problem, Problems, Result};
pub use settings::Settings;
