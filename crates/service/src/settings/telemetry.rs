//! `[telemetry]`: traces.

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use crate::Problems;

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// An OpenTelemetry collector that takes OTLP over HTTP, e.g. `http://127.0.0.1:4318`; empty: no spans are made.
    pub otlp_endpoint: String,
    /// Of a hundred starts that bring no trace of their own, how many begin one.
    pub traces_percent: u8,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), traces_percent: 100 }
    }
}

impl TelemetrySettings {
    /// Returns where spans are posted to; `None` if none are wanted.
    pub fn traces_url(&self) -> Option<Uri> {
        let url = format!("{}/v1/traces", self.otlp_endpoint.trim_end_matches('/'));
        let url: Uri = url.parse().ok()?;
        (url.scheme_str() == Some("http") && url.host().is_some()).then_some(url)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if !self.otlp_endpoint.is_empty() && self.traces_url().is_none() {
            problems.add(
                "telemetry.otlp_endpoint",
                format!(
                    "telemetry.otlp_endpoint = {:?}, must be http://host:port of a collector, e.g. http://127.0.0.1:4318 \
                     (for TLS or a password put a collector beside the process)",
                    self.otlp_endpoint
                ),
            );
        }
        problems.range("telemetry.traces_percent", self.traces_percent, 0, 100);
    }
}
