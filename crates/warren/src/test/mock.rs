//! Activities that a test stands in for.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{Failure, Outcome, Payload, code};

use crate::json;

/// A stand-in for an activity. A panic of it is the test's: it is not turned into a failure.
pub(super) struct Mock {
    pub(super) function: Box<dyn FnMut(&Payload) -> Outcome>,
    /// How much virtual time passes before it answers.
    pub(super) takes: Duration,
}

impl Mock {
    pub(super) fn new<I, O>(takes: Duration, mut function: impl FnMut(I) -> Result<O, Failure> + 'static) -> Self
    where
        I: DeserializeOwned,
        O: Serialize,
    {
        let function = move |input: &Payload| {
            let output = function(json::read(input, code::INVALID_INPUT)?)?;
            json::write(&output, code::INVALID_RESULT)
        };
        Self { function: Box::new(function), takes }
    }
}
