//! How instances and histories look in JSON: as Durable Functions shows them, with what is ours beside it.

mod history;
mod quarantine;
mod status;

pub(crate) use history::{HistoryItem, history};
pub(crate) use quarantine::QuarantinedTask;
pub(crate) use status::StatusBody;
