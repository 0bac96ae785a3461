//! `[client_api]`: client-api.

use serde::{Deserialize, Serialize};

use super::health::check_address;
use crate::Problems;

/// How the HTTP API is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientApiSettings {
    /// Address and port; port 0: any that is free (it is logged).
    pub listen: String,
    /// How clients reach the API, for the links in its answers; empty: as the request's `Host` header says.
    pub base_url: String,
    /// Largest request body, in MiB.
    pub body_megabytes_max: u32,
    /// Longest time that a request may wait for an orchestration to end, in seconds.
    pub wait_seconds_max: u16,
}

impl Default for ClientApiSettings {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".into(), base_url: String::new(), body_megabytes_max: 4, wait_seconds_max: 60 }
    }
}

impl ClientApiSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        check_address("client_api.listen", &self.listen, problems);
        problems.range("client_api.body_megabytes_max", self.body_megabytes_max, 1, 1_024);
        problems.range("client_api.wait_seconds_max", self.wait_seconds_max, 1, 3_600);
        let url = &self.base_url;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        if !url.is_empty() && !is_url {
            let message = format!("client_api.base_url = {url:?}, must begin with http:// or https://, or be empty");
            problems.add("client_api.base_url", message);
        }
    }
}
