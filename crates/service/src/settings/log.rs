//! `[log]`: logs.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::Problems;

/// How logs look, and how much is logged. They go to stderr.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// For people or for machines.
    pub format: LogFormat,
    /// What is logged: a level, or one per module, e.g. `info,lapin=off,orchestrator_svc=debug`.
    pub level: String,
}

impl Default for LogSettings {
    /// Lapin is silent: it calls every closed channel an error, a passive look for a queue included; Warren logs its own
    /// view of the connection.
    fn default() -> Self {
        Self { format: LogFormat::Pretty, level: "info,lapin=off".into() }
    }
}

impl LogSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Err(error) = EnvFilter::try_new(&self.level) {
            let example = "must be a level such as info, or one per module: info,lapin=off";
            problems.add("log.level", format!("log.level = {:?}, {example} ({error})", self.level));
        }
    }
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum LogFormat {
    /// A line for people, in colour on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?}, must be pretty or json")),
        }
    }
}
