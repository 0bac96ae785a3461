//! What the broker has moved, by its own counters; no plugin is needed for them.

use anyhow::Context;

use crate::servers::{Server, run};

/// What the broker has moved so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Messages that it was sent.
    pub(crate) messages: u64,
    /// Those of them whose sender waits for a confirm.
    pub(crate) confirmed: u64,
    /// Bytes that came and went on the connections that are open now.
    pub(crate) bytes: u64,
}

/// Asks the broker. Takes a second or two of processor time.
pub(crate) async fn moved() -> anyhow::Result<Moved> {
    let counters = run(Server::Broker, &["ctl", "eval", "rabbit_global_counters:overview()."]).await?;
    let octets = run(Server::Broker, &["ctl", "-q", "list_connections", "recv_oct", "send_oct"]).await?;
    Ok(Moved {
        messages: count(&counters, "messages_received_total")?,
        confirmed: count(&counters, "messages_received_confirm_total")?,
        bytes: bytes(&octets),
    })
}

/// Returns a counter of AMQP 0-9-1.
fn count(counters: &str, name: &str) -> anyhow::Result<u64> {
    let after = counters.split(&format!("{name} =>")).nth(1);
    let after = after.with_context(|| format!("the broker does not count {name}"))?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("the broker's {name} is no number"))
}

/// Adds up a table of numbers; its head has none.
fn bytes(octets: &str) -> u64 {
    octets.split_whitespace().filter_map(|text| text.parse::<u64>().ok()).sum()
}

#[cfg(test)]
#[path = "broker_test.rs"]
mod test;
