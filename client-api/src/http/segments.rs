//! What the path and the headers name.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use warren_model::{InstanceId, MessageId};

use crate::{api::Api, problem::Problem};

/// The named segments of a request's path, decoded.
pub(crate) struct Segments(HashMap<String, String>);

impl Segments {
    /// Returns a segment of the route.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Returns the instance that the path names.
    pub(crate) fn instance(&self) -> Result<InstanceId, Problem> {
        InstanceId::new(self.text("id")).map_err(|error| Problem::invalid(error.to_string()))
    }

    /// Returns the instance that the path names, if it does.
    pub(crate) fn maybe_instance(&self) -> Result<Option<InstanceId>, Problem> {
        self.0.contains_key("id").then(|| self.instance()).transpose()
    }
}

impl<Q: Clone + Send + Sync> FromRequestParts<Api<Q>> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api<Q>) -> Result<Self, Problem> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, api).await;
        let Path(segments) = path.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        Ok(Self(segments))
    }
}

/// The header `Idempotency-Key`: a request with the same key never acts twice, and is answered the same.
pub(crate) struct IdempotencyKey(pub(crate) Option<MessageId>);

impl<Q: Clone + Send + Sync> FromRequestParts<Api<Q>> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api<Q>) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = String::from_utf8_lossy(value.as_bytes());
        let key = MessageId::new(&text);
        key.map(|key| Self(Some(key))).map_err(|error| Problem::invalid(format!("header Idempotency-Key: {error}")))
    }
}
