//! What can go wrong before a service runs. All of it is for a person to mend: nothing here is worth a retry.

use std::{fmt, io, path::PathBuf};

/// Shorthand for this crate's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Says why a service can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of settings can't be read.
    #[error("read settings from {}: {source} (name another file with --config)", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file of settings is no TOML.
    #[error("read settings from {}: not valid TOML: {reason}", path.display())]
    ParseFile {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// Some settings are unknown or wrong; all of them are listed.
    #[error("{0}")]
    Settings(Problems),
    /// A socket can't be opened.
    #[error("listen on {address} (setting {setting}): {reason}")]
    Listen {
        /// The address.
        address: String,
        /// The setting that names it.
        setting: String,
        /// Why, and the remedy.
        reason: String,
    },
    /// Signals, logs or a server of the process itself can't be set up.
    #[error("set up {what}: {reason}")]
    SetUp {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

/// One setting that is unknown or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, e.g. `broker.url`.
    pub key: String,
    /// Where its value came from; `None`: it is the default.
    pub origin: Option<String>,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with the settings, so that it can be mended in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes that the value of `key` is wrong. The message names key and value: `hub.partitions = 0, must be …`.
    pub fn add(&mut self, key: &str, message: impl Into<String>) {
        self.0.push(Problem { key: key.into(), origin: None, message: message.into() });
    }

    /// Notes a wrong or unknown setting together with where it stands.
    pub fn add_from(&mut self, origin: &str, key: &str, message: impl Into<String>) {
        self.0.push(Problem { key: key.into(), origin: Some(origin.into()), message: message.into() });
    }

    /// Checks that `value` lies between the bounds, both allowed.
    pub fn range(&mut self, key: &str, value: impl Into<u64>, min: u64, max: u64) {
        let value = value.into();
        if !(min..=max).contains(&value) {
            self.add(key, format!("{key} = {value}, must be {min} to {max}"));
        }
    }

    /// Returns every problem, in the order found.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// Fills in where the values came from.
    pub(crate) fn trace(&mut self, origin_of: impl Fn(&str) -> Option<String>) {
        for problem in self.0.iter_mut().filter(|problem| problem.origin.is_none()) {
            problem.origin = origin_of(&problem.key);
        }
    }

    /// Returns an error if there is any problem.
    pub(crate) fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Settings(self)) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
