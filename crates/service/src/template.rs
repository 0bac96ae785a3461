//! Texts with holes that something from a message fills: `https://example.com/orders/{/id}`.
//!
//! | hole | is filled with |
//! |---|---|
//! | `{/order/id}` | what the JSON pointer finds in the input; `{}`: all of it |
//! | `{env:NAME}` | a variable of the process's environment: a secret, never shown |
//! | `{header:name}` | a header of the request or message |
//! | `{idempotency_key}`, `{instance}` | what an activity knows of its task |
//!
//! `{{` and `}}` are braces. What a text may hold depends on where it stands.

use std::{borrow::Cow, fmt};

use serde_json::Value;

/// What fills a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hole {
    /// What this JSON pointer finds in the input.
    Input(String),
    /// A variable of the environment.
    Environment(String),
    /// A header.
    Header(String),
    /// The task's idempotency key.
    IdempotencyKey,
    /// The task's instance.
    Instance,
}

/// Which holes a text may have; the input always may fill some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `{env:NAME}`.
    pub environment: bool,
    /// `{header:name}`.
    pub headers: bool,
    /// `{idempotency_key}` and `{instance}`.
    pub task: bool,
}

/// A text with holes. `Debug` does not show secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(Secret),
    Hole(Hole),
}

#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

/// A hole that nothing fills.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{hole} is {what}")]
pub struct Unfilled {
    /// The hole, as it was written.
    pub hole: Hole,
    /// What was found instead of text, a number or a truth value.
    pub what: &'static str,
}

impl Template {
    /// Reads a text, or says what is wrong with it.
    pub fn parse(text: &str, allowed: Allowed) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (inner, after) = inner.ok_or("a brace stands alone: write {{ or }} for a brace itself")?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Hole(hole(inner, allowed)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Fills what the environment fills, or names the variable that is not set.
    pub fn with_environment(self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let fill = |part| match part {
            Part::Hole(Hole::Environment(name)) => match variable(&name) {
                Some(value) => Ok(Part::Secret(Secret(value))),
                None => Err(name),
            },
            Part::Text(_) | Part::Secret(_) | Part::Hole(_) => Ok(part),
        };
        self.0.into_iter().map(fill).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the text with its holes filled by `find`.
    pub fn render<'a>(&self, find: impl Fn(&Hole) -> Option<Cow<'a, Value>>) -> Result<String, Unfilled> {
        self.render_escaped(find, |text| text.into())
    }

    /// Returns the text with its holes filled by `find`, each through `escape`.
    pub fn render_escaped<'a>(
        &self,
        find: impl Fn(&Hole) -> Option<Cow<'a, Value>>,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, Unfilled> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) | Part::Secret(Secret(plain)) => text.push_str(plain),
                Part::Hole(hole) => text.push_str(&escape(&filled(hole, find(hole).as_deref())?)),
            }
        }
        Ok(text)
    }

    /// Returns what fills the text's only hole, as it is; the text, if there is more to it than a hole.
    pub fn value<'a>(&self, find: impl Fn(&Hole) -> Option<Cow<'a, Value>>) -> Result<Value, Unfilled> {
        match self.0.as_slice() {
            [Part::Hole(hole)] => {
                find(hole).map(Cow::into_owned).ok_or_else(|| Unfilled { hole: hole.clone(), what: MISSING })
            }
            _ => self.render(find).map(Value::String),
        }
    }

    /// Returns its holes.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Text(_) | Part::Secret(_) => None,
        })
    }

    /// Returns the hole that it begins with.
    pub fn begins_with_hole(&self) -> Option<&Hole> {
        match self.0.first() {
            Some(Part::Hole(hole)) => Some(hole),
            Some(Part::Text(_) | Part::Secret(_)) | None => None,
        }
    }

    /// Returns whether all of it is known beforehand.
    pub fn is_plain(&self) -> bool {
        self.holes().next().is_none()
    }
}

const MISSING: &str = "missing";

fn filled<'a>(hole: &Hole, value: Option<&'a Value>) -> Result<Cow<'a, str>, Unfilled> {
    let unfilled = |what| Err(Unfilled { hole: hole.clone(), what });
    match value {
        Some(Value::String(text)) => Ok(text.into()),
        Some(Value::Number(number)) => Ok(number.to_string().into()),
        Some(Value::Bool(value)) => Ok(value.to_string().into()),
        Some(Value::Object(_)) => unfilled("an object, expected text, a number, true or false"),
        Some(Value::Array(_)) => unfilled("a list, expected text, a number, true or false"),
        Some(Value::Null) => unfilled("null"),
        None => unfilled(MISSING),
    }
}

fn hole(inner: &str, allowed: Allowed) -> Result<Hole, String> {
    let hole = match inner.split_once(':') {
        _ if is_pointer(inner) => Hole::Input(inner.into()),
        Some(("env", name)) if allowed.environment && !name.is_empty() => Hole::Environment(name.into()),
        Some(("header", name)) if allowed.headers && !name.is_empty() => Hole::Header(name.to_lowercase()),
        None if allowed.task && inner == "idempotency_key" => Hole::IdempotencyKey,
        None if allowed.task && inner == "instance" => Hole::Instance,
        Some(_) | None => return Err(format!("{{{inner}}} must be {}", allowed.words())),
    };
    Ok(hole)
}

/// Returns whether the text is a JSON pointer (RFC 6901): nothing, or names with a slash before each.
pub fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

impl Allowed {
    fn words(self) -> String {
        let mut words = vec!["a JSON pointer as {/order/id}"];
        let more = [
            (self.environment, "{env:NAME}"),
            (self.headers, "{header:name}"),
            (self.task, "{idempotency_key}"),
            (self.task, "{instance}"),
        ];
        words.extend(more.into_iter().filter_map(|(is_allowed, word)| is_allowed.then_some(word)));
        words.join(", ")
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(pointer) => write!(f, "{{{pointer}}}"),
            Self::Environment(name) => write!(f, "{{env:{name}}}"),
            Self::Header(name) => write!(f, "{{header:{name}}}"),
            Self::IdempotencyKey => f.write_str("{idempotency_key}"),
            Self::Instance => f.write_str("{instance}"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
#[path = "template_test.rs"]
mod test;
