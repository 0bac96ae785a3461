//! `[health]`: where the services answer `/health/live` and `/health/ready`.

use serde::{Deserialize, Serialize};

use crate::Problems;

/// Addresses of the health endpoints; client-api answers on its own. Empty: none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSettings {
    /// orchestrator-svc's.
    pub orchestrator: String,
    /// activity-worker's; port 0: any that is free (it is logged), since a machine often runs several workers.
    pub worker: String,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { orchestrator: "127.0.0.1:8081".into(), worker: "127.0.0.1:0".into() }
    }
}

impl HealthSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, address) in [("health.orchestrator", &self.orchestrator), ("health.worker", &self.worker)] {
            if !address.is_empty() {
                check_address(key, address, problems);
            }
        }
    }
}

/// Checks the form `host:port`; whether the host exists shows when the socket is opened.
pub(super) fn check_address(key: &str, address: &str, problems: &mut Problems) {
    let is_address = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
    if !address.rsplit_once(':').is_some_and(is_address) {
        problems.add(key, format!("{key} = {address:?}, must be address:port, e.g. 127.0.0.1:8080 or 0.0.0.0:8080"));
    }
}
