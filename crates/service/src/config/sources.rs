//! The places that settings may stand in, read into one list of entries.

use std::{
    fs,
    path::{Path, PathBuf},
};

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use crate::{Error, Result};

/// Variables that begin with `WARREN_` and are no settings: the tests' and local scripts', clap's, the client's.
const NOT_SETTINGS: [&str; 6] =
    ["WARREN_CONFIG", "WARREN_LOCAL", "WARREN_TEST", "WARREN_RABBITMQ", "WARREN_POSTGRES", "WARREN_API"];
const PREFIX: &str = "WARREN_";

/// The file that settings are read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SettingsFile {
    /// None.
    #[default]
    Nowhere,
    /// This one, if it exists.
    IfPresent(PathBuf),
    /// This one, which must exist.
    Required(PathBuf),
}

/// A setting given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// How it was given, e.g. `--set`; for messages.
    pub name: String,
    /// The setting, e.g. `broker.url`.
    pub key: String,
    /// Its value, as text.
    pub value: String,
}

impl Flag {
    /// Returns the setting `key` as given by the flag `name`.
    pub fn new(name: &str, key: &str, value: &str) -> Self {
        Self { name: name.into(), key: key.into(), value: value.into() }
    }
}

/// All places that settings are read from; the later ones win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The TOML file.
    pub file: SettingsFile,
    /// Names and values of the environment; those that are no settings are passed over.
    pub environment: Vec<(String, String)>,
    /// The command line, in order.
    pub flags: Vec<Flag>,
}

/// One setting as it stands somewhere.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where it stands; begins each message about it.
    pub(super) origin: String,
    pub(super) given: Given,
}

/// A value as it stands: text gets its type from the setting, TOML has one of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Text(String),
    Toml(ValueKind),
}

impl Sources {
    /// Returns what stands in all places, the strongest last.
    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = self.file.entries()?;
        let mut variables: Vec<_> = self.environment.iter().filter(|(name, _)| is_setting(name)).collect();
        variables.sort();
        entries.extend(variables.into_iter().map(|(name, value)| Entry {
            key: name[PREFIX.len()..].to_lowercase().replace("__", "."),
            origin: format!("environment variable {name}"),
            given: Given::Text(value.clone()),
        }));
        entries.extend(self.flags.iter().map(|flag| Entry {
            key: flag.key.clone(),
            origin: flag.name.clone(),
            given: Given::Text(flag.value.clone()),
        }));
        Ok(entries)
    }
}

impl SettingsFile {
    fn entries(&self) -> Result<Vec<Entry>> {
        let path = match self {
            Self::Nowhere => return Ok(Vec::new()),
            Self::IfPresent(path) if !path.exists() => return Ok(Vec::new()),
            Self::IfPresent(path) | Self::Required(path) => path,
        };
        let text = fs::read_to_string(path).map_err(|source| Error::ReadFile { path: path.clone(), source })?;
        let table = File::from_str(&text, FileFormat::Toml)
            .collect()
            .map_err(|error| Error::ParseFile { path: path.clone(), reason: error.to_string() })?;
        let mut entries = Vec::new();
        flatten("", table, path, &mut entries);
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }
}

/// Turns nested tables into dotted keys. An empty table stays, so that an unknown section can't hide by being empty.
fn flatten(section: &str, table: Map<String, Value>, path: &Path, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let key = if section.is_empty() { name } else { format!("{section}.{name}") };
        if let ValueKind::Table(inner) = &value.kind
            && !inner.is_empty()
        {
            flatten(&key, inner.clone(), path, entries);
        } else {
            entries.push(Entry { key, origin: path.display().to_string(), given: Given::Toml(value.kind) });
        }
    }
}

fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !NOT_SETTINGS.iter().any(|other| name.starts_with(other)) && !is_service_link(name)
}

/// Kubernetes gives each pod variables such as `WARREN_SERVICE_HOST` and `WARREN_PORT_8080_TCP_ADDR` for every service
/// in its namespace; a service called `warren…` must not keep ours from starting.
fn is_service_link(name: &str) -> bool {
    let by_port = |at: usize| name[at + "_PORT_".len()..].starts_with(|digit: char| digit.is_ascii_digit());
    !name.contains("__")
        && (name.ends_with("_PORT")
            || name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || name.find("_PORT_").is_some_and(by_port))
}
