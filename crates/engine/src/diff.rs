//! Where two events differ first, for a person.

use serde::Serialize;
use serde_json::Value;

/// The first field in which two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The way to the field (`input.items[0].price`); empty if the values are of different kinds.
    pub field: String,
    /// What the left side has there; `nothing` if it has no such field.
    pub left: String,
    /// What the right side has there.
    pub right: String,
}

/// Returns the first field in which `left` and `right` differ as JSON, in the order of the left one's fields; `None` if
/// they are the same value (payloads that differ in their bytes only differ at the payload itself).
pub fn first_difference<T: Serialize>(left: &T, right: &T) -> Option<Difference> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or(Value::Null);
    walk(String::new(), Some(&json(left)), Some(&json(right)))
}

fn walk(path: String, left: Option<&Value>, right: Option<&Value>) -> Option<Difference> {
    if left == right {
        return None;
    }
    match (left, right) {
        (Some(Value::Object(l)), Some(Value::Object(r))) => {
            let name = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            let keys = l.keys().chain(r.keys().filter(|key| !l.contains_key(*key)));
            keys.filter_map(|key| walk(name(key), l.get(key), r.get(key))).next()
        }
        (Some(Value::Array(l)), Some(Value::Array(r))) => {
            let longest = l.len().max(r.len());
            (0..longest).filter_map(|at| walk(format!("{path}[{at}]"), l.get(at), r.get(at))).next()
        }
        _ => Some(Difference { field: path, left: show(left), right: show(right) }),
    }
}

/// Longest excerpt of a value in a message, in characters.
const EXCERPT_MAX: usize = 120;

fn show(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(EXCERPT_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
#[path = "diff_test.rs"]
mod test;
