//! The worker on a real RabbitMQ: the repository's own node, or the one that `WARREN_TEST_AMQP` names.

mod binary;
mod hub;
mod library;
