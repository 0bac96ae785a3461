//! What bindings export: every metric of theirs has its name and its meaning here.

use metrics::{counter, gauge};
use warren_service::metrics::Share;

/// Says what the metrics mean.
pub fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_counter!(
        "warren_binding_messages_total",
        "messages that bindings are done with, by binding and result: accepted, misfit, refused"
    );
    describe_gauge!(
        "warren_binding_up",
        "1: the binding takes messages of its queue or stream, or will when it is this process's turn; 0: it can't"
    );
    describe_gauge!(
        "warren_binding_stream_offset",
        "the offset up to which all messages of the stream are done with; 0 in a process that does not read it"
    );
    describe_gauge!(
        "warren_binding_stream_short",
        "how many messages the stream lacks of those that were read; more than 0: it was declared anew"
    );
}

/// Counts a message that a binding is done with.
pub(crate) fn binding(name: &str, result: &'static str) {
    counter!("warren_binding_messages_total", "binding" => name.to_owned(), "result" => result).increment(1);
}

/// Says whether a binding can take messages.
pub(crate) fn binding_up(name: &str, is_up: bool) {
    gauge!("warren_binding_up", "binding" => name.to_owned()).set(f64::from(u8::from(is_up)));
}

/// Says how far a stream was read, as long as this process reads it.
pub(crate) fn stream_offset(name: &str) -> Share {
    Share::of(gauge!("warren_binding_stream_offset", "binding" => name.to_owned()))
}

/// Says how many messages of a stream are missing of those that were read, as long as this process reads it.
pub(crate) fn stream_short(name: &str) -> Share {
    Share::of(gauge!("warren_binding_stream_short", "binding" => name.to_owned()))
}
