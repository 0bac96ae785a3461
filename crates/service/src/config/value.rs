//! Values: from what stands somewhere to what the setting's type asks for.

use config::{Value, ValueKind};
use serde_json::Value as Json;

use super::sources::Given;

/// What a setting holds; its default tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Switch,
    List,
}

impl Shape {
    pub(super) fn of(default: &Json) -> Self {
        match default {
            Json::Number(_) => Self::Number,
            Json::Bool(_) => Self::Switch,
            Json::Array(_) => Self::List,
            Json::String(_) | Json::Null | Json::Object(_) => Self::Text,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a whole number",
            Self::Switch => "true or false",
            Self::List => "a list of texts",
        }
    }

    /// Returns the value, or what is wrong with it.
    pub(super) fn read(self, key: &str, given: &Given) -> Result<ValueKind, String> {
        let read = match given {
            Given::Text(text) => self.parse(text),
            Given::Toml(kind) => self.accept(kind),
        };
        read.ok_or_else(|| match given {
            Given::Text(text) => format!("{key} = {text:?}, must be {}", self.words()),
            Given::Toml(kind) => format!("{key} is {}, must be {}", describe(kind), self.words()),
        })
    }

    fn parse(self, text: &str) -> Option<ValueKind> {
        let text = text.trim();
        match self {
            Self::Text => Some(ValueKind::String(text.into())),
            Self::Number => text.replace('_', "").parse().ok().map(ValueKind::I64),
            Self::Switch => text.parse().ok().map(ValueKind::Boolean),
            Self::List => Some(list(text)),
        }
    }

    fn accept(self, kind: &ValueKind) -> Option<ValueKind> {
        let fits = match self {
            Self::Text => matches!(kind, ValueKind::String(_)),
            Self::Number => matches!(kind, ValueKind::I64(_) | ValueKind::U64(_)),
            Self::Switch => matches!(kind, ValueKind::Boolean(_)),
            Self::List => {
                matches!(kind, ValueKind::Array(items) if items.iter().all(|i| matches!(i.kind, ValueKind::String(_))))
            }
        };
        fits.then(|| kind.clone())
    }
}

/// Reads `a,b`; no text is no item.
fn list(text: &str) -> ValueKind {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    ValueKind::Array(items.map(|item| Value::new(None, item)).collect())
}

fn describe(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => format!("the text {text:?}"),
        ValueKind::Table(_) => "a section".into(),
        ValueKind::Array(_) => "a list".into(),
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::Float(value) => value.to_string(),
        ValueKind::I64(value) => value.to_string(),
        ValueKind::U64(value) => value.to_string(),
        ValueKind::I128(value) => value.to_string(),
        ValueKind::U128(value) => value.to_string(),
        ValueKind::Nil => "nothing".into(),
    }
}
