//! The links in answers.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::HOST, request::Parts},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use warren_model::InstanceId;

use super::BASES;
use crate::api::Api;

/// What RFC 3986 leaves as it is in a segment of a path, as far as ids commonly have it.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Makes links under the base and the host that the request came by.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    base: String,
}

/// Where an instance can be asked after and told things, as Durable Functions names it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceLinks {
    pub(crate) status_query_get_uri: String,
    wait_get_uri: String,
    send_event_post_uri: String,
    terminate_post_uri: String,
    suspend_post_uri: String,
    resume_post_uri: String,
    purge_history_delete_uri: String,
}

impl Links {
    /// Returns where the instance's status is.
    pub(crate) fn status(&self, id: &InstanceId) -> String {
        format!("{}/instances/{}", self.base, utf8_percent_encode(id.as_str(), SEGMENT))
    }

    /// Returns all links of an instance.
    pub(crate) fn instance(&self, id: &InstanceId) -> InstanceLinks {
        let status = self.status(id);
        InstanceLinks {
            wait_get_uri: format!("{status}/wait?timeout=30"),
            send_event_post_uri: format!("{status}/raiseEvent/{{eventName}}"),
            terminate_post_uri: format!("{status}/terminate?reason={{text}}"),
            suspend_post_uri: format!("{status}/suspend?reason={{text}}"),
            resume_post_uri: format!("{status}/resume?reason={{text}}"),
            purge_history_delete_uri: status.clone(),
            status_query_get_uri: status,
        }
    }
}

impl<Q: Clone + Send + Sync> FromRequestParts<Api<Q>> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api<Q>) -> Result<Self, Infallible> {
        let base = BASES.into_iter().find(|base| parts.uri.path().starts_with(base)).unwrap_or(BASES[0]);
        let origin = match &api.options().base_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => origin(&parts.headers),
        };
        Ok(Self { base: format!("{origin}{base}") })
    }
}

/// Returns how the client says that it reached us, or a proxy before us.
fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("x-forwarded-host").or_else(|| text(HOST.as_str())).unwrap_or("localhost");
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    format!("{scheme}://{host}")
}
