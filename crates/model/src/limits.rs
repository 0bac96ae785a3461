//! Limits that are part of the formats; limits that a user may want to move are settings of the services.

/// Longest instance id, in bytes: two of them and a token's other parts fit a correlation id.
pub const INSTANCE_ID_BYTES_MAX: usize = 128;
/// Longest message id, in bytes: AMQP allows 255, a row's key should stay short.
pub const MESSAGE_ID_BYTES_MAX: usize = 128;
/// Longest AMQP short string, in bytes: the bound of a correlation id, a routing key and a queue's name.
pub const SHORT_STRING_BYTES_MAX: usize = 255;
/// Largest custom status, in bytes: it is rewritten with the instance row at each change (Durable Functions allows 16 KB).
pub const CUSTOM_STATUS_BYTES_MAX: usize = 16 * 1024;
