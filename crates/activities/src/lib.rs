//! Activities that need no code: a table of settings, `[activities.charge]`, becomes a function of a worker's registry.
//!
//! ```text
//! settings ──register──▶ Registry ──input──▶ Task ──fills──▶ Template ──▶ http, command, sql, publish
//! ```
//!
//! A kind is a module: it is made from its settings at start, where what can't work is refused by name, and runs for each
//! task. Nothing of an input decides which server is called. Secrets come from the environment, and are in
//! no message and no log. What each kind takes, gives and fails with is in `docs/activities.md`.

mod command;
mod error;
mod http;
mod publish;
mod register;
mod sql;
mod task;
#[cfg(test)]
mod testing;

pub use error::{Error, Result};
pub use register::register;
