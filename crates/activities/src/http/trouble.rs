//! What can go wrong with a call, as failures with stable codes.

use std::error::Error;

use http_body_util::LengthLimitError;
use serde::Serialize;
use warren::Failure;

use super::gate::NoConnection;

/// The answer's status is none that means success.
pub(super) const STATUS: &str = "http_status";
/// There was no answer in time.
pub(super) const TIMEOUT: &str = "http_timeout";
/// There is no connection, or it broke.
const UNREACHABLE: &str = "http_unreachable";
/// The host is at an address that may not be called, or none that may be called.
pub(super) const REFUSED_ADDRESS: &str = "http_refused_address";
/// The answer makes no sense, or is too large.
pub(super) const INVALID_RESPONSE: &str = "http_invalid_response";

/// The most of an answer's body that a failure holds.
const SHOWN_BYTES_MAX: usize = 4096;

/// What a failure tells programs about the answer.
#[derive(Debug, Serialize)]
pub(super) struct Details {
    pub(super) status: u16,
    pub(super) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after_seconds: Option<u64>,
}

/// Returns the failure that an error of the client means; `origin` is whom it called.
pub(super) fn failure(error: &(dyn Error + 'static), origin: &str) -> Failure {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<NoConnection>() {
            return no_connection(error);
        }
        if error.is::<LengthLimitError>() {
            let message = format!("{origin} answers with more than response_kilobytes_max allows");
            return Failure::permanent(INVALID_RESPONSE, message);
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_parse() || error.is_parse_too_large() || error.is_parse_status())
        {
            return Failure::permanent(INVALID_RESPONSE, format!("{origin} answers no HTTP: {}", root(error)));
        }
        next = error.source();
    }
    Failure::new(UNREACHABLE, format!("the connection to {origin} broke: {}", root(error)))
}

fn no_connection(error: &NoConnection) -> Failure {
    match error {
        NoConnection::Private { .. } => Failure::permanent(REFUSED_ADDRESS, error.to_string()),
        NoConnection::TooSlow { .. } => Failure::new(TIMEOUT, error.to_string()),
        NoConnection::Failed { .. } => Failure::new(UNREACHABLE, error.to_string()),
    }
}

/// Returns the innermost reason: hyper's own are "client error (SendRequest)" and the like.
fn root(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}

/// Returns the beginning of a body, as text.
pub(super) fn shown(body: &[u8]) -> String {
    let is_cut = body.len() > SHOWN_BYTES_MAX;
    let mut text = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES_MAX)]).into_owned();
    if is_cut {
        // A character that the cut went through.
        while text.ends_with('\u{fffd}') {
            text.pop();
        }
        text.push('…');
    }
    text
}
