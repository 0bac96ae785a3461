//! Where reading a stream begins. RabbitMQ gives its streams to AMQP 0.9.1 as queues that a consumer takes nothing out of.

use lapin::types::{AMQPValue, FieldTable};

/// The argument that says where a consumer begins, and the header that says where a delivery stood.
pub const STREAM_OFFSET: &str = "x-stream-offset";

/// Where reading a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStart {
    /// At the oldest message that it still holds.
    First,
    /// Among the newest messages that it holds, if it holds any.
    Last,
    /// At this offset, or the next one that it still holds.
    Offset(u64),
    /// At what came at this time, in seconds since 1970, or a little earlier: streams keep times by the chunk.
    Time(u64),
}

impl StreamStart {
    pub(super) fn arguments(self) -> FieldTable {
        let value = match self {
            Self::First => AMQPValue::LongString("first".into()),
            Self::Last => AMQPValue::LongString("last".into()),
            Self::Offset(offset) => AMQPValue::LongLongInt(offset.try_into().unwrap_or(i64::MAX)),
            Self::Time(seconds) => AMQPValue::Timestamp(seconds),
        };
        let mut arguments = FieldTable::default();
        arguments.insert(STREAM_OFFSET.into(), value);
        arguments
    }
}
