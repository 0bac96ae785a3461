//! The worker on a real RabbitMQ: the repository's own node, or the one that `WARREN_TEST_AMQP` names.

#![allow(clippy::unwrap_used, reason = "a test may panic, and clippy exempts only functions that are marked as tests")]

mod binary;
mod hub;
mod library;
mod packed;
