//! What a run costs: processor time of each process, messages and bytes of the broker, commits and rows of the database.
//!
//! Everything is asked of the kernel and of the servers themselves, from outside: nothing is counted by what is measured.

mod broker;
mod cpu;
mod crew;
mod database;
mod idle;

pub(crate) use broker::{Moved, moved};
pub(crate) use cpu::{Machine, Process};
pub(crate) use crew::{Crew, Taken};
pub(crate) use database::{Database, Written};
pub(crate) use idle::wait_for_idle;
