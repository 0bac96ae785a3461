//! Typed values to and from payloads, with failures that name the field.

use serde::{Serialize, de::DeserializeOwned};
use warren_model::{Failure, Payload};

/// Reads a payload, or says which field is wrong: `items[0].quantity: invalid type: string "two", expected u32`.
///
/// Never retryable: the same bytes are wrong again.
pub(crate) fn read<T: DeserializeOwned>(payload: &Payload, code: &str) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_str(payload.as_str());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let reason = without_position(error.inner());
        let message = if path == "." { reason } else { format!("{path}: {reason}") };
        Failure::permanent(code, message)
    })
}

/// Writes a payload, or says why the value is no JSON. Never retryable.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, code: &str) -> Result<Payload, Failure> {
    Payload::of(value).map_err(|error| Failure::permanent(code, format!("not writable as json: {error}")))
}

/// A payload is one line that nobody sees: its path says more than a line and a column do.
fn without_position(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    if text.ends_with(&position) {
        text.truncate(text.len() - position.len());
    }
    text
}

#[cfg(test)]
#[path = "json_test.rs"]
mod test;
