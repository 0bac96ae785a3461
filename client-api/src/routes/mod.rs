//! The handlers, one file per route or family of routes.

mod complete;
mod health;
mod hub;
mod lifecycle;
mod list;
mod purge;
mod raise;
mod redispatch;
mod start;
mod status;
mod wait;

pub(crate) use complete::{complete, fail, heartbeat};
pub(crate) use health::{CHECKS, health};
pub(crate) use hub::hub;
pub(crate) use lifecycle::{committed, resume, suspend, terminate};
pub(crate) use list::list;
pub(crate) use purge::{purge, purge_all};
pub(crate) use raise::raise;
pub(crate) use redispatch::redispatch;
pub(crate) use start::start;
pub(crate) use status::status;
pub(crate) use wait::wait;
