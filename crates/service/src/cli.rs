//! The flags that all three services share.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use crate::{
    Error, Result, Settings,
    config::{self, Flag, Loaded, SettingsFile, Sources},
    telemetry,
};

/// The file that is read where none is named, if it exists.
const DEFAULT_FILE: &str = "warren.toml";

/// Flags of every service; flatten it into a service's own.
///
/// Settings come from defaults, the file, the environment and flags, the later ones winning.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = AFTER_HELP)]
pub struct ServiceArgs {
    /// File of settings [default: ./warren.toml, if present]
    #[arg(long, value_name = "FILE", env = "WARREN_CONFIG")]
    pub config: Option<PathBuf>,

    /// Sets one setting; may be repeated, e.g. --set broker.url=amqp://localhost --set hub.partitions=8
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,

    /// What is logged, e.g. debug, or info,lapin=off (setting log.level)
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// How logs look: pretty or json (setting log.format)
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Prints all settings with where they came from, passwords masked, and exits
    #[arg(long)]
    pub print_config: bool,
}

const AFTER_HELP: &str = "\
Settings come from four places, the later ones winning:
  defaults      every one is in deploy/warren.toml, with a comment
  file          --config FILE, else ./warren.toml
  environment   WARREN_BROKER__URL=amqp://user:password@broker/vhost
  flags         --set broker.url=amqp://user:password@broker/vhost

Examples:
  --config /etc/warren.toml --set hub.name=orders
  --set store.url=sqlite:/var/lib/warren/warren.db --log-format json
  --print-config";

fn key_and_value(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.into())),
        _ => Err("must be KEY=VALUE, e.g. hub.partitions=8".into()),
    }
}

impl ServiceArgs {
    /// Loads the settings, begins to log, and logs what differs from the defaults. `None`: they were to be printed, and
    /// the process should end. `flags` are the service's own, as settings.
    pub fn begin(&self, service: &'static str, flags: Vec<Flag>) -> Result<Option<Settings>> {
        let Loaded { settings, origins } = self.load(flags)?;
        if self.print_config {
            let text = config::printable(&settings, &origins);
            let failed = |error: io::Error| Error::SetUp { what: "output", reason: error.to_string() };
            io::stdout().write_all(text.as_bytes()).map_err(failed)?;
            return Ok(None);
        }
        telemetry::init(&settings.log)?;
        let changed = config::changes(&settings);
        tracing::info!(service, version = env!("CARGO_PKG_VERSION"), settings = changed, "starting");
        Ok(Some(settings))
    }

    /// Loads the settings from all places.
    pub fn load(&self, flags: Vec<Flag>) -> Result<Loaded<Settings>> {
        config::load(&self.sources(flags, environment()))
    }

    fn sources(&self, flags: Vec<Flag>, environment: Vec<(String, String)>) -> Sources {
        let file = match &self.config {
            Some(path) => SettingsFile::Required(path.clone()),
            None => SettingsFile::IfPresent(DEFAULT_FILE.into()),
        };
        let set = self.set.iter().map(|(key, value)| Flag::new("--set", key, value));
        let named = [("--log-level", "log.level", &self.log_level), ("--log-format", "log.format", &self.log_format)];
        let named = named.into_iter().filter_map(|(name, key, value)| Some(Flag::new(name, key, value.as_ref()?)));
        Sources { file, environment, flags: set.chain(named).chain(flags).collect() }
    }
}

/// Variables that are not text are none of ours.
fn environment() -> Vec<(String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

#[cfg(test)]
#[path = "cli_test.rs"]
mod test;
