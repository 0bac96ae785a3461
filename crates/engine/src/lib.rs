//! The engine: pure rules of how an orchestration replays and lives. No async, no clock, no I/O.

mod program;

pub use program::{Identity, Program, Programs, Progress, Reaction};
