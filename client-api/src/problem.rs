//! What a client is told when it does not get what it asked for.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use warren_client::{About, Error};
use warren_model::{Refusal, RefusalCode};
use warren_store as store;

/// Seconds after which a client may try again when something was away.
const RETRY_SECONDS: u16 = 2;

/// An answer that is no success: `{"error": {"code": …, "message": …}, "Message": …}`.
///
/// `code` is for programs and never changes; `message` is for people. `Message` repeats it where clients of Durable
/// Functions look for it. Some problems say more inside `error` (an instance, how it stands).
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u16>,
    more: Map<String, Value>,
}

impl Problem {
    /// Returns a problem.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, more: Map::new() }
    }

    /// The request can't be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// Nobody has seen the instance.
    pub(crate) fn no_instance(id: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("instance {id} is not known to this hub"))
    }

    /// No instance is such as was to be purged.
    pub(crate) fn nothing_to_purge() -> Self {
        let why = "no instance that has ended is such as the parameters say";
        Self::new(StatusCode::NOT_FOUND, "not_found", why)
    }

    /// The body is over its limit.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        let message = format!("the body is too large: at most {bytes_max} bytes are allowed");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// Something is away that comes back.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry_after(RETRY_SECONDS)
    }

    /// A bug, or data that can't be read.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// Returns the problem with one more fact inside `error`.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.into(), value.into());
        self
    }

    /// Returns whether it is a start's instance id that is in use.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status == StatusCode::CONFLICT
    }

    fn retry_after(mut self, seconds: u16) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: ErrorBody<'a>,
    #[serde(rename = "Message")]
    message: &'a str,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = ErrorBody { code: self.code, message: &self.message, more: self.more };
        let mut response = (self.status, Json(Body { error, message: &self.message })).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(Refusal { code, message }: Refusal) -> Self {
        let (status, code) = match code {
            RefusalCode::Exists => (StatusCode::CONFLICT, "exists"),
            RefusalCode::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            RefusalCode::Running => (StatusCode::CONFLICT, "running"),
            RefusalCode::Gone => (StatusCode::GONE, "gone"),
            RefusalCode::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            RefusalCode::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            RefusalCode::Unreadable => (StatusCode::INTERNAL_SERVER_ERROR, "unreadable"),
        };
        Self::new(status, code, message)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Unavailable { .. } => Self::unavailable(format!("failed to {error}; nothing was accepted")),
            Error::Timeout { ref about, ref message, .. } => {
                let text = format!("failed to {error}; to ask again is safe with header Idempotency-Key: {message}");
                let problem = Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", text);
                let problem = match about {
                    About::Instance(instance) => problem.with("instanceId", instance.as_str()),
                    About::Partition(partition) => problem.with("partition", partition.0),
                };
                problem.with("idempotencyKey", message.as_str()).retry_after(RETRY_SECONDS)
            }
            Error::Store(error) => error.into(),
            Error::Answer { .. } | Error::Hub { .. } => Self::internal(format!("failed to {error}")),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let text = format!("failed to {error}");
        match error {
            store::Error::Unavailable(_) | store::Error::Unknown(_) => Self::unavailable(text),
            store::Error::Refused(why) => Self::invalid(why),
            store::Error::Corrupt { .. }
            | store::Error::Mismatch(_)
            | store::Error::Fenced { .. }
            | store::Error::Used { .. }
            | store::Error::OutOfTurn { .. } => Self::internal(text),
        }
    }
}
