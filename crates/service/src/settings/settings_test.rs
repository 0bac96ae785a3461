use std::{collections::BTreeSet, path::Path};

use super::{ActivitySettings, Backend, BindingSettings, QueueSettings, Settings, StoreSettings};
use crate::{
    Problems,
    config::{self, SettingsFile, Sources, Validate},
};

/// The keys with the problems found after `change`.
fn wrong(change: impl FnOnce(&mut Settings)) -> Vec<String> {
    let mut settings = Settings::default();
    change(&mut settings);
    let mut problems = Problems::default();
    settings.validate(&mut problems);
    problems.as_slice().iter().map(|problem| problem.key.clone()).collect()
}

fn rules<'a>(settings: &'a mut Settings, queue: &str) -> &'a mut QueueSettings {
    settings.queues.entry(queue.into()).or_default()
}

#[test]
fn defaults_are_valid() {
    assert!(wrong(|_| ()).is_empty());
}

#[test]
fn each_bound_is_held() {
    let check = |key: &str, change: fn(&mut Settings)| assert_eq!(wrong(change), [key]);
    check("hub.name", |s| s.hub.name.clear());
    check("hub.name", |s| s.hub.name = "amq".into());
    check("hub.partitions", |s| s.hub.partitions = 100);
    check("hub.payload_megabytes_max", |s| s.hub.payload_megabytes_max = 129);
    check("broker.message_megabytes_max", |s| s.broker.message_megabytes_max = 0);
    check("payloads.inline_kilobytes_max", |s| s.payloads.inline_kilobytes_max = 3);
    check("payloads.queues", |s| s.payloads.queues = vec![" ".into()]);
    check("payloads.store", |s| s.payloads.store = "/srv/payloads".into());
    check("broker.url", |s| s.broker.url = "http://broker".into());
    check("broker.delivery_limit", |s| s.broker.delivery_limit = 0);
    check("store.url", |s| s.store.url = "postgres://".into());
    check("store.url", |s| s.store.url = "mysql://db/warren".into());
    check("store.url", |s| s.store.url = "sqlite:".into());
    check("orchestrator.prefetch", |s| s.orchestrator.prefetch = 499);
    check("orchestrator.turn_warn_ms", |s| s.orchestrator.turn_warn_ms = 600_001);
    check("orchestrator.turn_limit_seconds", |s| s.orchestrator.turn_limit_seconds = 0);
    check("orchestrator.packed_queues", |s| s.orchestrator.packed_queues = vec![" ".into()]);
    check("orchestrator.packed_queues", |s| s.orchestrator.packed_queues = vec!["resize".into(), "scale*".into()]);
    check("orchestrator.packed_queues", |s| s.orchestrator.packed_queues = vec!["warren.work.resize".into()]);
    check("worker.threads", |s| s.worker.threads = 257);
    check("worker.queues", |s| s.worker.queues = vec![String::new()]);
    check("queues.a.lanes", |s| rules(s, "a").lanes = 257);
    check("queues.a~1", |s| rules(s, "a~1").lanes = 1);
    check("queues.a.lane_limit", |s| rules(s, "a").lane_limit = 1);
    check("queues.a.lane_per_minute", |s| (rules(s, "a").priorities, rules(s, "a").lane_per_minute) = (true, 1));
    check("client_api.listen", |s| s.client_api.listen = "8080".into());
    check("orchestrator.listen", |s| s.orchestrator.listen = "8080".into());
    check("client_api.base_url", |s| s.client_api.base_url = "example.com".into());
    check("log.level", |s| s.log.level = "lapin=loud".into());
    check("telemetry.otlp_endpoint", |s| s.telemetry.otlp_endpoint = "https://collector:4318".into());
    check("telemetry.traces_percent", |s| s.telemetry.traces_percent = 101);
    check("health.worker", |s| s.health.worker = ":70000".into());
}

#[test]
fn packed_queues_are_names_or_all() {
    assert!(wrong(|s| s.orchestrator.packed_queues = vec!["*".into(), "resize".into(), "at.work.2".into()]).is_empty());
}

#[test]
fn a_health_address_may_be_left_out() {
    assert!(wrong(|s| s.health.worker.clear()).is_empty());
}

#[test]
fn the_store_is_chosen_by_its_url() {
    let of = |url: &str| StoreSettings { url: url.into() };
    assert_eq!(of("sqlite:a/b.db").backend(), Some(Backend::Sqlite("a/b.db")));
    for url in ["postgres://u:hunter2@db/warren", "postgresql://db"] {
        assert_eq!(of(url).backend(), Some(Backend::Postgres(&url.into())));
        assert!(wrong(|s| s.store = of(url)).is_empty());
    }
    assert_eq!(of("a.db").backend(), None);
    assert!(!format!("{:?}", of("postgres://u:hunter2@db/warren").backend()).contains("hunter2"));
}

/// H2: an owner that lost its lease must not stay the broker's active consumer.
#[test]
fn h2_three_heartbeats_fit_a_lease() {
    assert_eq!(wrong(|s| s.broker.heartbeat_seconds = 2), ["broker.heartbeat_seconds"]);
    assert!(wrong(|s| (s.broker.heartbeat_seconds, s.orchestrator.lease_seconds) = (2, 6)).is_empty());
}

#[test]
fn the_sample_names_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/warren.toml");
    let sources = Sources { file: SettingsFile::Required(path), ..Sources::default() };
    let config::Loaded { settings, origins } = config::load::<Settings>(&sources).unwrap();
    assert_eq!(settings, Settings::default());
    let sections = serde_json::to_value(Settings::default()).unwrap();
    let keys = sections.as_object().unwrap().iter().flat_map(|(section, fields)| {
        fields.as_object().unwrap().keys().map(move |field| format!("{section}.{field}"))
    });
    let missing: BTreeSet<String> = keys.filter(|key| origins.of(key).is_none()).collect();
    assert!(missing.is_empty(), "not in deploy/warren.toml: {missing:?}");
}

/// What the sample only shows begins with `#` and no space.
#[test]
fn the_tables_that_the_sample_shows_are_right_and_name_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/warren.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(shown) if shown.starts_with(|first: char| first == '[' || first.is_alphabetic()) => shown,
        Some(_) | None => line,
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warren.toml");
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let sources = Sources { file: SettingsFile::Required(path), ..Sources::default() };
    let config::Loaded { settings, origins } = config::load::<Settings>(&sources).unwrap();
    let kinds = ActivitySettings::defaults().len() + BindingSettings::defaults().len() + 1;
    let all = serde_json::to_value(settings).unwrap();
    let tables = ["activities", "bindings", "queues"].into_iter().flat_map(|section| {
        all[section].as_object().unwrap().iter().map(move |(name, table)| (format!("{section}.{name}"), table))
    });
    let shown: BTreeSet<_> = tables
        .clone()
        .map(|(name, table)| (name.split('.').next().map(str::to_owned), table["kind"].to_string()))
        .collect();
    assert_eq!(shown.len(), kinds, "{shown:?}");
    let keys =
        tables.flat_map(|(name, table)| table.as_object().unwrap().keys().map(move |field| format!("{name}.{field}")));
    let missing: BTreeSet<String> = keys.filter(|key| origins.of(key).is_none()).collect();
    assert!(missing.is_empty(), "not in deploy/warren.toml: {missing:?}");
}

#[test]
fn the_tables_that_the_documents_show_are_right() {
    for (document, tables) in [("activities", 5), ("bindings", 3)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/{document}.md"));
        let text = std::fs::read_to_string(path).unwrap();
        let shown = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("warren.toml");
        std::fs::write(&file, shown.collect::<String>()).unwrap();
        let sources = Sources { file: SettingsFile::Required(file), ..Sources::default() };
        let settings = config::load::<Settings>(&sources).unwrap().settings;
        assert_eq!(settings.activities.len() + settings.bindings.len(), tables, "{document}");
    }
}
