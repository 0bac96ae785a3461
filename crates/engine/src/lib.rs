//! The engine: the rules of how an orchestration lives and replays. Pure: no async, no clock, no I/O.
//!
//! A turn has two halves, because whoever runs the orchestrator's code may need a moment: [`begin`] decides what of an
//! inbox counts, the [`Program`] reacts, [`finish`] decides what is recorded and sent. [`Live`] composes them for
//! programs that answer at once.
//!
//! ```text
//! inbox ──begin──▶ TurnRequest ──Program::react──▶ Reaction ──finish──▶ Turn { body, messages, timers, … }
//! ```
//! What a turn sends is a function of what it recorded ([`messages`]), so an owner that finds an unconfirmed turn in
//! the outbox rebuilds the same messages from history.

mod begin;
mod diff;
mod finish;
mod instance;
mod live;
mod messages;
mod program;
mod replay;
#[cfg(test)]
mod testing;
mod waiting;
mod weight;

pub use begin::{TurnRequest, Verdict, begin};
pub use diff::{Difference, first_difference};
pub use finish::{Continuation, Recorded, Turn, finish};
pub use instance::{Instance, Limits};
pub use live::Live;
pub use messages::{Sender, messages};
pub use program::{Identity, Program, Programs, Progress, Reaction};
pub use replay::{Divergence, replay};
pub use waiting::{Waiting, waiting};
