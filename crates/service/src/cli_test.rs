use clap::Parser;

use super::{Flag, ServiceArgs, SettingsFile};
use crate::config::{self, Loaded};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    service: ServiceArgs,
}

fn args(words: &[&str]) -> ServiceArgs {
    Cli::parse_from(["activity-worker"].iter().chain(words)).service
}

#[test]
fn flags_become_settings_and_the_last_one_wins() {
    let args = args(&["--set", "worker.concurrency=5", "--set", "worker.concurrency=7", "--log-format", "json"]);
    let flags = vec![Flag::new("--concurrency", "worker.concurrency", "9")];
    let Loaded { settings, origins } = config::load::<crate::Settings>(&args.sources(flags, Vec::new())).unwrap();
    assert_eq!(settings.worker.concurrency, 9);
    assert_eq!(origins.of("worker.concurrency"), Some("--concurrency"));
    assert_eq!(origins.of("log.format"), Some("--log-format"));
}

#[test]
fn a_named_file_must_exist_and_the_default_one_need_not() {
    let named = args(&["--config", "absent.toml"]).sources(Vec::new(), Vec::new());
    assert_eq!(named.file, SettingsFile::Required("absent.toml".into()));
    let error = config::load::<crate::Settings>(&named).unwrap_err().to_string();
    assert!(error.starts_with("read settings from absent.toml: "), "{error}");
    assert_eq!(args(&[]).sources(Vec::new(), Vec::new()).file, SettingsFile::IfPresent("warren.toml".into()));
}

#[test]
fn a_set_without_value_is_refused_with_an_example() {
    let error = Cli::try_parse_from(["x", "--set", "hub.partitions"]).err().unwrap().to_string();
    assert!(error.contains("must be KEY=VALUE, e.g. hub.partitions=8"), "{error}");
}

#[test]
fn help_has_examples_for_each_place() {
    use clap::CommandFactory;
    let help = Cli::command().render_long_help().to_string();
    for example in ["--config /etc/warren.toml", "WARREN_BROKER__URL=", "--set broker.url=", "--print-config"] {
        assert!(help.contains(example), "{example} is not in\n{help}");
    }
}
