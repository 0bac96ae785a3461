//! Typed values to and from payloads, with failures that name the field.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use warren_model::{Failure, Payload};

/// Reads a payload, or says which field is wrong: `items[0].quantity: invalid type: string "two", expected u32`.
///
/// The failure's details name the field for programs: `{"field": "items[0].quantity"}`. Never retryable: the same bytes
/// are wrong again.
pub(crate) fn read<T: DeserializeOwned>(payload: &Payload, code: &str) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_str(payload.as_str());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { path.as_str() };
        let reason = without_position(error.inner());
        let message = if path.is_empty() { reason.clone() } else { format!("{path}: {reason}") };
        let failure = Failure::permanent(code, message);
        let field = field(path, &reason);
        if field.is_empty() { failure } else { failure.with_details(&json!({"field": field})) }
    })
}

/// Returns the way to the field. That of a missing one ends at what it is missing from.
fn field(path: &str, reason: &str) -> String {
    let missing = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    }
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
