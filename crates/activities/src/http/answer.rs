//! From an answer to a result or a failure.

use ::http::{StatusCode, header::CONTENT_TYPE};
use warren::{Failure, Payload};
use warren_service::settings::{HttpSettings, Statuses};

use super::{client::Answer, patience::retry_after, trouble};

/// Which statuses may be different the next time.
#[derive(Debug)]
pub(super) struct Reading {
    retryable: Vec<Statuses>,
}

impl Reading {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        Self { retryable: settings.retryable_statuses.iter().filter_map(|text| Statuses::parse(text)).collect() }
    }

    pub(super) fn is_retryable(&self, status: StatusCode) -> bool {
        self.retryable.iter().any(|statuses| statuses.contains(status.as_u16()))
    }

    /// Returns the body as JSON if the answer says it is some, as text otherwise; nothing is `null`.
    pub(super) fn read(&self, answer: &Answer) -> Result<Payload, Failure> {
        if !answer.status.is_success() {
            return Err(self.status(answer));
        }
        let invalid = |why: &str| {
            let message = format!("{} answers with a body that {why}", answer.url.origin().ascii_serialization());
            Failure::permanent(trouble::INVALID_RESPONSE, message).with_details(&details(answer))
        };
        if answer.body.is_empty() {
            return Ok(Payload::null());
        }
        if is_json(answer) {
            return Payload::from_bytes(&answer.body).map_err(|error| invalid(&format!("is no JSON: {error}")));
        }
        let text = std::str::from_utf8(&answer.body).map_err(|_| invalid("is neither JSON nor text in UTF-8"))?;
        Payload::of(text).map_err(|error| invalid(&error.to_string()))
    }

    fn status(&self, answer: &Answer) -> Failure {
        let message = format!("{} answers {}", answer.url.origin().ascii_serialization(), answer.status);
        let retryable = self.is_retryable(answer.status);
        Failure { retryable, ..Failure::new(trouble::STATUS, message) }.with_details(&details(answer))
    }
}

fn details(answer: &Answer) -> trouble::Details {
    trouble::Details {
        status: answer.status.as_u16(),
        body: trouble::shown(&answer.body),
        retry_after_seconds: retry_after(&answer.headers).map(|pause| pause.as_secs()),
    }
}

/// Returns whether the body is called `application/json`, or `application/something+json`.
fn is_json(answer: &Answer) -> bool {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}
