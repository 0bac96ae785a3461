//! Tables that a person names, such as `[activities.charge]`: what one may hold follows from its `kind`.

use std::collections::{BTreeMap, BTreeSet};

use config::ValueKind;
use serde::Serialize;
use serde_json::Value;

use super::{
    known::Known,
    sources::{Entry, Given},
};
use crate::Problems;

/// The setting that says what a table is.
const KIND: &str = "kind";

/// A section whose tables a person names.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    section: &'static str,
    /// By kind: what a table of it holds by default.
    kinds: BTreeMap<String, Value>,
    /// What every table holds by default, if there are no kinds.
    plain: Option<Value>,
}

impl Tables {
    /// Returns a section whose tables are one of these by default, each with its `kind`.
    pub fn new<T: Serialize>(section: &'static str, defaults: &[T]) -> Self {
        let kinds = defaults.iter().map(|table| {
            let table = serde_json::to_value(table).expect("settings are plain structs, which always serialize");
            let kind = table.get(KIND).and_then(Value::as_str).expect("each table has a kind").to_owned();
            (kind, table)
        });
        Self { section, kinds: kinds.collect(), plain: None }
    }

    /// Returns a section whose tables are all alike.
    pub fn plain<T: Serialize>(section: &'static str, default: &T) -> Self {
        let plain = serde_json::to_value(default).expect("settings are plain structs, which always serialize");
        Self { section, kinds: BTreeMap::new(), plain: Some(plain) }
    }

    /// Adds the settings of the tables that the entries name. Tables that make no sense are told, and their other entries
    /// taken out.
    pub(super) fn add(&self, entries: &mut Vec<Entry>, known: &mut Known, problems: &mut Problems) {
        entries.retain(|entry| entry.key != self.section || !matches!(entry.given, Given::Toml(ValueKind::Table(_))));
        let mut kinds: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
        for entry in entries.iter() {
            if let Some((name, setting)) = self.split(&entry.key) {
                let kind = kinds.entry(name.to_owned()).or_default();
                if setting == KIND {
                    *kind = Some((shown(&entry.given), entry.origin.clone()));
                }
            }
        }
        for (name, kind) in kinds {
            let table = format!("{}.{name}", self.section);
            match self.template(&table, &name, kind) {
                Ok(template) => known.add(&table, template.clone()),
                Err((origin, message)) => {
                    let first = entries.iter().find(|entry| is_below(&entry.key, &table));
                    let origin = origin.or_else(|| first.map(|entry| entry.origin.clone())).unwrap_or_default();
                    problems.add_from(&origin, &table, message);
                    entries.retain(|entry| !is_below(&entry.key, &table));
                }
            }
        }
    }

    /// Adds the defaults of the tables that there are, but not what they are: that is nobody's default.
    pub(super) fn add_defaults(&self, settings: &Known, defaults: &mut Known) {
        if let Some(plain) = &self.plain {
            let names: BTreeSet<&str> = settings.iter().filter_map(|(key, _)| Some(self.split(key)?.0)).collect();
            names.into_iter().for_each(|name| defaults.add(&format!("{}.{name}", self.section), plain.clone()));
        }
        for (key, kind) in settings.iter() {
            let Some((name, KIND)) = self.split(key) else { continue };
            let Some(Value::Object(fields)) = kind.as_str().and_then(|kind| self.kinds.get(kind)) else { continue };
            let fields = fields.iter().filter(|(field, _)| *field != KIND);
            let fields = fields.map(|(field, value)| (field.clone(), value.clone())).collect();
            defaults.add(&format!("{}.{name}", self.section), Value::Object(fields));
        }
    }

    fn template(
        &self,
        table: &str,
        name: &str,
        kind: Option<(String, String)>,
    ) -> Result<&Value, (Option<String>, String)> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err((None, format!("{table} is called {name:?}, must be letters, digits, `_` and `-`")));
        }
        if let Some(plain) = &self.plain {
            return Ok(plain);
        }
        let kinds = self.kinds.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some((kind, origin)) = kind else {
            return Err((None, format!("{table} has no kind, set {table}.{KIND} to one of: {kinds}")));
        };
        self.kinds
            .get(&kind)
            .ok_or_else(|| (Some(origin), format!("{table}.{KIND} = {kind:?}, must be one of: {kinds}")))
    }

    /// Returns the table's name and the setting, if the key is below this section.
    fn split<'a>(&self, key: &'a str) -> Option<(&'a str, &'a str)> {
        let rest = key.strip_prefix(self.section)?.strip_prefix('.')?;
        Some(rest.split_once('.').unwrap_or((rest, "")))
    }
}

fn is_below(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn shown(given: &Given) -> String {
    match given {
        Given::Text(text) => text.trim().to_owned(),
        Given::Toml(kind) => config::Value::new(None, kind.clone()).into_string().unwrap_or_default(),
    }
}
