//! `/metrics`, in Prometheus' text format. Services describe and count with the `metrics` crate.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// What this process has counted, for whoever asks.
static COUNTED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count. Once per process; a second call, or one after a recorder of the embedding program's own, changes
/// nothing.
pub fn begin() {
    COUNTED.get_or_init(|| match PrometheusBuilder::new().install_recorder() {
        Ok(counted) => Some(counted),
        Err(error) => {
            tracing::debug!(%error, "metrics go to another recorder");
            None
        }
    });
}

/// Returns what was counted, in Prometheus' text format; nothing if [`begin`] was not called.
pub fn render() -> String {
    COUNTED.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod test;
