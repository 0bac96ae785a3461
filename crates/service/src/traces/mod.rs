//! Spans, sent to an OpenTelemetry collector by OTLP over HTTP.
//!
//! Whoever makes a span knows its ids and its times: spans of durable things outlive processes, so no library's idea of
//! a present span fits them. Nobody waits for the collector: what it does not take in time is dropped, and counted.

mod export;
mod otlp;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::mpsc;

pub use export::Exporter;

use crate::settings::TelemetrySettings;

/// Most spans that wait for the exporter: a few seconds of a busy process, in some ten megabytes.
const WAITING_MAX: usize = 20_000;

/// Something that has begun and ended, in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The trace.
    pub trace: u128,
    /// The span's own id.
    pub id: u64,
    /// The span that it is part of; 0: none.
    pub parent: u64,
    /// What it is, in few words of which there are few.
    pub name: String,
    /// What part it plays between processes.
    pub kind: Kind,
    /// When it began, in nanoseconds since 1970.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// What else is to be known of it; never a payload.
    pub attributes: Vec<(&'static str, Value)>,
    /// The code of why it failed, if it did.
    pub error: Option<String>,
}

/// What part a span plays between processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// None.
    Internal,
    /// It serves a request.
    Server,
    /// It has sent a message, and ends when that is answered.
    Producer,
    /// It handles a message.
    Consumer,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// Takes spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tracer(Option<mpsc::Sender<Span>>);

impl Tracer {
    /// Returns one that wants none.
    pub fn off() -> Self {
        Self(None)
    }

    /// Returns one for a process, and what sends its spans; off if the settings name no collector.
    pub fn new(settings: &TelemetrySettings, service: &'static str, process: &str, hub: &str) -> (Self, Exporter) {
        let Some(url) = settings.traces_url() else { return (Self::off(), Exporter::off()) };
        export::describe();
        let (spans, waiting) = mpsc::channel(WAITING_MAX);
        let resource = [("service.name", service), ("service.instance.id", process), ("service.namespace", hub)]
            .map(|(key, text)| (key, text.to_owned()));
        (Self(Some(spans)), Exporter::new(url, resource.into(), waiting))
    }

    /// Returns whether spans are wanted.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a span; drops it if too many wait.
    pub fn send(&self, span: Span) {
        let Some(spans) = &self.0 else { return };
        if spans.try_send(span).is_err() {
            export::dropped(1);
        }
    }
}

/// Returns the time, as spans have it.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns an id that nothing else has, for a span that is no durable thing's; never 0.
pub fn any_id() -> u64 {
    // Each `RandomState` has keys of its own, seeded by the system.
    RandomState::new().build_hasher().finish().max(1)
}

#[cfg(test)]
#[path = "traces_test.rs"]
mod test;
