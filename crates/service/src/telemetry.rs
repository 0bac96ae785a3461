//! Logs, on stderr: for people, or one JSON object a line.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    Error, Result,
    settings::{LogFormat, LogSettings},
};

/// Begins to log as the settings say, for the rest of the process. Colours only on a terminal.
pub fn init(settings: &LogSettings) -> Result<()> {
    subscriber(settings, io::stderr().is_terminal(), io::stderr)?
        .try_init()
        .map_err(|error| Error::SetUp { what: "logs", reason: error.to_string() })
}

fn subscriber<W>(settings: &LogSettings, colours: bool, writer: W) -> Result<impl Subscriber + Send + Sync>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|error| Error::SetUp { what: "logs", reason: format!("log.level: {error}") })?;
    let layer = fmt::layer().with_writer(writer);
    let layer = match settings.format {
        LogFormat::Pretty => layer.with_ansi(colours).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(filter).with(layer))
}

#[cfg(test)]
#[path = "telemetry_test.rs"]
mod test;
