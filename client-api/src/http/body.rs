//! Request bodies: JSON, kept byte for byte.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header::CONTENT_TYPE},
};
use warren_model::Payload;

use crate::{api::Api, problem::Problem};

/// A body that is JSON, or empty (then it is `null`), whatever its content type says.
pub(crate) struct Json(pub(crate) Payload);

/// A body that is JSON and says so, or is empty.
pub(crate) struct JsonTyped(pub(crate) Payload);

impl<Q: Clone + Send + Sync> FromRequest<Api<Q>> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api<Q>) -> Result<Self, Problem> {
        read(request, api).await.and_then(|bytes| parse(&bytes)).map(Self)
    }
}

impl<Q: Clone + Send + Sync> FromRequest<Api<Q>> for JsonTyped {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api<Q>) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("").to_owned());
        let bytes = read(request, api).await?;
        if !bytes.is_empty() && !content_type.as_deref().is_some_and(is_json) {
            let found = content_type.map_or_else(|| "missing".to_owned(), |found| format!("{found:?}"));
            return Err(Problem::invalid(format!(
                "header Content-Type is {found}: expected application/json (with curl: --json DATA)"
            )));
        }
        parse(&bytes).map(Self)
    }
}

/// Reads a body of at most the size that is allowed.
pub(crate) async fn read<Q: Clone + Send + Sync>(request: Request, api: &Api<Q>) -> Result<Bytes, Problem> {
    Bytes::from_request(request, api).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(api.options().body_bytes_max),
        _ => Problem::invalid(format!("the body can't be read: {}", rejection.body_text())),
    })
}

/// Reads JSON; nothing is `null`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Payload, Problem> {
    Payload::from_bytes(bytes).map_err(|error| Problem::invalid(format!("the body is not JSON: {error}")))
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
}
