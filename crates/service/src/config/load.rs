//! From sources to checked settings.

use config::{Config, ConfigError, ValueKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Origins, Sources, Tables,
    known::Known,
    sources::{Entry, Given},
    value::Shape,
};
use crate::{Error, Problems, Result};

/// Settings that can say what is wrong with them.
pub trait Validate {
    /// Notes every value that is out of its bounds, naming the setting and the bound.
    fn validate(&self, problems: &mut Problems);

    /// Returns the sections whose tables a person names.
    fn tables() -> Vec<Tables> {
        Vec::new()
    }
}

/// Settings, and where each value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<T> {
    /// The settings.
    pub settings: T,
    /// Where they came from.
    pub origins: Origins,
}

/// Reads, merges and checks settings: defaults, then the file, the environment and the flags, the later ones winning.
///
/// Every unknown key and every wrong value is in the error, not just the first.
pub fn load<T>(sources: &Sources) -> Result<Loaded<T>>
where
    T: Serialize + DeserializeOwned + Default + Validate,
{
    let mut known = Known::of(&T::default());
    let (mut problems, mut origins) = (Problems::default(), Origins::default());
    let mut entries = sources.entries()?;
    T::tables().iter().for_each(|tables| tables.add(&mut entries, &mut known, &mut problems));
    let mut merged = Config::builder();
    for entry in entries {
        if let Some(value) = read(&entry, &known, &mut problems) {
            merged = merged.set_override(&entry.key, value).map_err(|error| invalid(&error))?;
            origins.set(&entry.key, &entry.origin);
        }
    }
    problems.into_result()?;
    for (key, default) in known.iter() {
        if origins.of(key).is_none() {
            merged = merged.set_default(key, from_default(default)).map_err(|error| invalid(&error))?;
        }
    }
    let merged = merged.build().map_err(|error| invalid(&error))?;
    let settings = merged.try_deserialize::<T>().map_err(|error| wrong_value(&error, &origins))?;
    let mut problems = Problems::default();
    settings.validate(&mut problems);
    problems.trace(|key| origins.of(key).map(str::to_owned));
    problems.into_result()?;
    Ok(Loaded { settings, origins })
}

fn read(entry: &Entry, known: &Known, problems: &mut Problems) -> Option<ValueKind> {
    let Entry { key, origin, given } = entry;
    if let Some(default) = known.get(key) {
        return Shape::of(default)
            .read(key, given)
            .inspect_err(|message| problems.add_from(origin, key, message.as_str()))
            .ok();
    }
    if known.is_section(key) {
        if !matches!(given, Given::Toml(ValueKind::Table(_))) {
            problems.add_from(origin, key, format!("{key} is a section, set one of its settings"));
        }
        return None;
    }
    let remedy = match known.nearest(key) {
        Some(nearest) if origin.starts_with("environment") => {
            format!("did you mean WARREN_{}?", nearest.to_uppercase().replace('.', "__"))
        }
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "--print-config shows all settings".into(),
    };
    problems.add_from(origin, key, format!("unknown setting {key}, {remedy}"));
    None
}

fn from_default(default: &serde_json::Value) -> ValueKind {
    match default {
        serde_json::Value::Null => ValueKind::Nil,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(value) => value.as_u64().map_or_else(|| value.as_i64().into(), ValueKind::from),
        serde_json::Value::String(value) => value.as_str().into(),
        serde_json::Value::Array(items) => items.iter().map(from_default).collect::<Vec<_>>().into(),
        serde_json::Value::Object(_) => unreachable!("known settings are leaves"),
    }
}

/// A value of the right shape that its type refuses all the same: too large, negative, or not among the choices.
fn wrong_value(error: &ConfigError, origins: &Origins) -> Error {
    let (key, message) = if let ConfigError::Type { key: Some(key), unexpected, expected, .. } = error {
        (key.clone(), format!("{key} = {unexpected}, must be {expected}"))
    } else if let ConfigError::At { key: Some(key), error, .. } = error {
        (key.clone(), format!("{key}: {error}"))
    } else {
        (String::new(), error.to_string())
    };
    let mut problems = Problems::default();
    problems.add(&key, message);
    problems.trace(|key| origins.of(key).map(str::to_owned));
    Error::Settings(problems)
}

fn invalid(error: &ConfigError) -> Error {
    let mut problems = Problems::default();
    problems.add("", error.to_string());
    Error::Settings(problems)
}
