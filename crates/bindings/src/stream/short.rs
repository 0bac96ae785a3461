//! A stream that ends before the place up to which it was read, as one does that was deleted and declared anew.
//!
//! It is told, and no more is done about it. That nothing further came may also mean that the broker is slow, and whoever
//! then reads from the start begins everything again: under other ids, since the offsets are those that were used already.

use std::time::Duration;

use tokio::time::timeout;
use warren_broker::{Acker, Consumer, amqp::StreamStart};
use warren_service::metrics::Share;

use super::{offset, place::Place};
use crate::{metrics, source::Source};

/// How long a stream gives nothing before that is taken for its end.
const QUIET: Duration = Duration::from_secs(5);
/// How many messages to be given at a time: a stream begins with the first of its last chunk, which may hold thousands.
const PREFETCH: u16 = 1_000;

/// That a stream is shorter than it was read; shown by a metric as long as this lives.
#[derive(Debug)]
pub(super) struct Short {
    why: String,
    _shown: Share,
}

impl Short {
    /// Looks at the end of the stream. Fails if that can't be read.
    pub(super) async fn look(source: &Source, place: Place) -> Result<Option<Self>, String> {
        let Place::Next(next) = place else { return Ok(None) };
        let end = end(source, next).await?;
        if end >= next {
            return Ok(None);
        }
        let Source { name, queue, .. } = source;
        let mut shown = metrics::stream_short(name);
        shown.set(next - end);
        let remedy = "if it was declared anew, give its binding another name";
        let why = format!("stream {queue} was read up to offset {next} and ends at {end} now: {remedy}");
        Ok(Some(Self { why, _shown: shown }))
    }

    /// Says what is wrong.
    pub(super) fn why(&self) -> String {
        self.why.clone()
    }
}

/// Returns the offset after the last message, or one that is at least `enough`.
async fn end(source: &Source, enough: u64) -> Result<u64, String> {
    let Source { broker, queue, .. } = source;
    let failed = |error: warren_broker::Error| error.to_string();
    let mut tail = broker.read_stream(queue, PREFETCH, StreamStart::Last).await.map_err(failed)?;
    let acker = tail.acker();
    let mut end = 0;
    while end < enough {
        let Ok(next) = timeout(QUIET, tail.next(PREFETCH.into())).await else { break };
        let deliveries = next.ok_or_else(|| format!("stream {queue} is lost"))?;
        for delivery in &deliveries {
            end = offset(&delivery.message).ok_or_else(|| format!("queue {queue} is no stream"))? + 1;
        }
        if let Some(last) = deliveries.last() {
            acker.ack(last.tag, true).await.map_err(failed)?;
        }
    }
    Ok(end)
}
