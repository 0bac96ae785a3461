//! Failures are data: they cross the wire and are recorded.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::Payload;

/// Why an activity or an orchestration did not succeed.
///
/// `Failure` is deliberately no [`std::error::Error`], so that `?` turns any error into one (code [`code::ERROR`],
/// its sources as causes); give it a code of your own with [`Failure::new`] where a caller should tell it apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What a program tells failures apart by; short, lowercase, `a-z0-9_-`, and stable.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// Whether a further attempt may succeed; a retry policy stops at `false`.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub retryable: bool,
    /// Anything else that a program may want to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Payload>,
    /// How far an activity had come, as its last heartbeat said; its next attempt is given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Payload>,
    /// What it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Failure>>,
}

fn yes() -> bool {
    true
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

/// Codes that Warren itself gives.
pub mod code {
    /// An error without a code of its own.
    pub const ERROR: &str = "error";
    /// The input is not what the function takes; names the field.
    pub const INVALID_INPUT: &str = "invalid_input";
    /// The result is not what the caller expects, or no JSON; names the field.
    pub const INVALID_RESULT: &str = "invalid_result";
    /// An activity's code panicked.
    pub const PANICKED: &str = "panicked";
    /// A worker was given an activity that it does not serve.
    pub const UNKNOWN_ACTIVITY: &str = "unknown_activity";
    /// The child's id belongs to another instance.
    pub const INSTANCE_EXISTS: &str = "instance_exists";
    /// The child has ended and was purged, and nobody knows its outcome any more.
    pub const PURGED: &str = "purged";
    /// The instance was terminated.
    pub const TERMINATED: &str = "terminated";
    /// A payload is over its limit.
    pub const PAYLOAD_TOO_LARGE: &str = "payload_too_large";
    /// A payload that a message referred to is not in the store any more.
    pub const PAYLOAD_MISSING: &str = "payload_missing";
    /// A work item was dead-lettered by the broker.
    pub const DEAD_LETTERED: &str = "dead_lettered";
    /// The work item has taken too many workers down, and no worker begins it any more.
    pub const QUARANTINED: &str = "quarantined";
    /// A wait reached its deadline.
    pub const TIMEOUT: &str = "timeout";
    /// No worker has begun the activity in time.
    pub const SCHEDULE_TO_START: &str = "schedule_to_start_timeout";
    /// The activity has run for longer than it may.
    pub const START_TO_CLOSE: &str = "start_to_close_timeout";
    /// The call has taken longer than it may, with all its attempts.
    pub const SCHEDULE_TO_CLOSE: &str = "schedule_to_close_timeout";
    /// The activity was not heard of for longer than it may be silent.
    pub const HEARTBEAT: &str = "heartbeat_timeout";
}

impl Failure {
    /// Returns a retryable failure.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: true, details: None, progress: None, cause: None }
    }

    /// Returns a failure that no retry policy repeats.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { retryable: false, ..Self::new(code, message) }
    }

    /// Returns the failure with `details`; what can't be written as JSON is left out.
    #[must_use]
    pub fn with_details<T: Serialize>(mut self, details: &T) -> Self {
        self.details = Payload::of(details).ok();
        self
    }

    /// Returns the failure with `cause` beneath it.
    #[must_use]
    pub fn caused_by(mut self, cause: Failure) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " (caused by {cause})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        fn convert(error: &dyn Error) -> Failure {
            let mut failure = Failure::new(code::ERROR, error.to_string());
            failure.cause = error.source().map(|source| Box::new(convert(source)));
            failure
        }
        convert(&error)
    }
}

#[cfg(test)]
#[path = "failure_test.rs"]
mod test;
