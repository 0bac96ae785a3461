//! Settings as TOML that a person may see: no secrets.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use warren_broker::amqp::addresses;

use super::{Origins, Validate, known::Known};

/// What stands in place of a secret.
const MASK: &str = "***";
/// A setting whose name ends so holds nothing but a secret.
const SECRET_NAMES: [&str; 3] = ["password", "secret", "token"];
/// A header whose name holds one of these may hold a secret.
const SECRET_HEADERS: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// Returns all settings as TOML, with secrets masked and the origin of each value that is not the default.
pub fn printable<T: Serialize>(settings: &T, origins: &Origins) -> String {
    let mut text = String::new();
    let mut open = "";
    let known = Known::of(settings);
    for (key, value) in known.iter() {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
        if section != open {
            let gap = if text.is_empty() { "" } else { "\n" };
            writeln!(text, "{gap}[{section}]").expect("writing to a string never fails");
            open = section;
        }
        let origin = origins.of(key).map(|origin| format!("  # {origin}")).unwrap_or_default();
        writeln!(text, "{name} = {}{origin}", shown(key, value)).expect("writing to a string never fails");
    }
    text
}

/// Returns the settings that are not defaults, on one line, with secrets masked: for the log.
pub(crate) fn changes<T: Serialize + Default + Validate>(settings: &T) -> String {
    let (mut defaults, known) = (Known::of(&T::default()), Known::of(settings));
    T::tables().iter().for_each(|tables| tables.add_defaults(&known, &mut defaults));
    let changed = known.iter().filter(|(key, value)| defaults.get(key) != Some(*value));
    changed.map(|(key, value)| format!("{key}={}", shown(key, value))).collect::<Vec<_>>().join(" ")
}

/// Writes a value as TOML: for texts, numbers and lists of them JSON is TOML too.
fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if SECRET_NAMES.iter().any(|name| key.ends_with(name)) && !is_nothing(text) => {
            format!("{MASK:?}")
        }
        Value::String(text) => Value::String(mask(text)).to_string(),
        Value::Array(items) => Value::Array(items.iter().map(mask_item).collect()).to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Returns whether a secret is not there, or not here: `{env:NAME}` only says where it is.
fn is_nothing(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix("{env:").is_some_and(|rest| rest.find('}').is_some_and(|at| at + 1 == rest.len()))
}

/// Masks an item of a list. Of a header `name: value` that may hold a secret only what a hole `{…}` stands for is shown.
fn mask_item(item: &Value) -> Value {
    let Value::String(text) = item else { return item.clone() };
    match text.split_once(": ") {
        Some((name, value)) if SECRET_HEADERS.iter().any(|part| name.to_lowercase().contains(part)) => {
            Value::String(if value.contains('{') { text.clone() } else { format!("{name}: {MASK}") })
        }
        Some(_) | None => Value::String(mask(text)),
    }
}

/// Returns the text with the passwords of URLs (`amqp://user:password@host`, `?password=…`) masked, also in a list of
/// nodes.
pub fn mask(text: &str) -> String {
    let masked: Vec<String> = addresses(text).into_iter().map(mask_user).collect();
    mask_parameters(&masked.join(","))
}

/// Masks what stands between `:` and the last `@` of the part after `//`; a password may itself hold an `@` or `/`.
fn mask_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let Some((user, host)) = rest.rsplit_once('@') else { return text.into() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:{MASK}@{host}"),
        None => text.into(),
    }
}

/// Masks `password=…` (also `sslpassword=…`) up to the next `&` or space.
fn mask_parameters(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("password=") {
        let value = at + "password=".len();
        masked.push_str(&rest[..value]);
        masked.push_str(MASK);
        rest = rest[value..].find(['&', ' ']).map_or("", |end| &rest[value + end..]);
    }
    masked + rest
}

#[cfg(test)]
#[path = "print_test.rs"]
mod test;
