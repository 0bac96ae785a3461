//! Gives each request an id, and writes one line of log about it.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::Uuid;

/// The header of a request's id: a caller may bring its own; every answer has one.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a caller.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Runs the request in a span with its id, logs how it went and puts the id on the answer.
pub(crate) async fn identify(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).filter(|id| is_good(id)).cloned().unwrap_or_else(fresh);
    let begin = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request = id.to_str().unwrap_or_default(), %method, path);
    let is_probe = path.starts_with("/health/");
    async move {
        let mut response = next.run(request).await;
        let (status, ms) = (response.status().as_u16(), begin.elapsed().as_millis());
        if is_probe {
            tracing::trace!(status, ms, "served a probe");
        } else if response.status().is_server_error() {
            tracing::warn!(status, ms, "failed to serve a request");
        } else {
            tracing::debug!(status, ms, "served a request");
        }
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
    .instrument(span)
    .await
}

/// An id goes into logs: short, printable, without spaces.
fn is_good(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    !bytes.is_empty() && bytes.len() <= REQUEST_ID_BYTES_MAX && bytes.iter().all(u8::is_ascii_graphic)
}

fn fresh() -> HeaderValue {
    HeaderValue::try_from(Uuid::new_v4().to_string()).expect("a UUID is printable ASCII")
}
