//! The activity worker.

pub mod worker;
