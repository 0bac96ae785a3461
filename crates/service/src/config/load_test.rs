use std::fs;

use super::{Flag, Loaded, SettingsFile, Sources, changes, load, printable};
use crate::{Error, Settings, settings::ActivitySettings};

/// Sources of a test: a file's text, variables, `--set` flags.
fn sources(file: &str, environment: &[(&str, &str)], set: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warren.toml");
    fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let flags = set.iter().map(|(key, value)| Flag::new("--set", key, value)).collect();
    (folder, Sources { file: SettingsFile::Required(path), environment, flags })
}

fn loaded(file: &str, environment: &[(&str, &str)], set: &[(&str, &str)]) -> Loaded<Settings> {
    load(&sources(file, environment, set).1).unwrap()
}

/// The problems, one a line, with the folder's name cut off.
fn refused(file: &str, environment: &[(&str, &str)], set: &[(&str, &str)]) -> String {
    let (folder, sources) = sources(file, environment, set);
    let error = load::<Settings>(&sources).expect_err("these settings are wrong").to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn nothing_given_is_the_defaults() {
    let Loaded { settings, origins } = load::<Settings>(&Sources::default()).unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(origins.of("hub.partitions"), None);
}

#[test]
fn later_places_win_and_each_value_knows_where_it_came_from() {
    let file = "[hub]\npartitions = 5\nname = \"orders\"\n[worker]\nconcurrency = 6\nqueues = [\"a\", \"b\"]";
    let variables = [("WARREN_HUB__PARTITIONS", "7"), ("WARREN_WORKER__CONCURRENCY", "8"), ("PATH", "/bin")];
    let Loaded { settings, origins } = loaded(file, &variables, &[("worker.concurrency", "9")]);
    assert_eq!((settings.hub.partitions, settings.worker.concurrency), (7, 9));
    assert_eq!((settings.hub.name.as_str(), settings.worker.queues), ("orders", vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(origins.of("hub.partitions"), Some("environment variable WARREN_HUB__PARTITIONS"));
    assert_eq!(origins.of("worker.concurrency"), Some("--set"));
    assert!(origins.of("hub.name").unwrap().ends_with("warren.toml"));
}

#[test]
fn lists_may_be_given_as_text_and_be_emptied() {
    let set = |value| loaded("[worker]\nqueues = [\"x\"]", &[], &[("worker.queues", value)]).settings.worker.queues;
    assert_eq!(set("charge, ship"), ["charge", "ship"]);
    assert!(set("").is_empty());
}

#[test]
fn an_unknown_key_is_refused_wherever_it_stands_with_the_nearest_known_one() {
    assert_eq!(
        refused("[broker]\nulr = \"amqp://x\"", &[], &[]),
        "warren.toml: unknown setting broker.ulr, did you mean broker.url?"
    );
    assert_eq!(
        refused("", &[("WARREN_BROKER_URL", "amqp://x")], &[]),
        "environment variable WARREN_BROKER_URL: unknown setting broker_url, did you mean WARREN_BROKER__URL?"
    );
    assert_eq!(
        refused("", &[], &[("orchestrator.partitions", "4")]),
        "--set: unknown setting orchestrator.partitions, did you mean hub.partitions?"
    );
    assert_eq!(
        refused("[brokre]", &[], &[("zzzzzzzzzzzzzz", "1")]),
        "warren.toml: unknown setting brokre, --print-config shows all settings\n\
         --set: unknown setting zzzzzzzzzzzzzz, --print-config shows all settings"
    );
}

#[test]
fn a_wrong_type_names_key_value_and_expected_type() {
    assert_eq!(
        refused("[hub]\npartitions = \"4\"", &[], &[]),
        "warren.toml: hub.partitions is the text \"4\", must be a whole number"
    );
    assert_eq!(
        refused("", &[("WARREN_HUB__PARTITIONS", "many")], &[]),
        "environment variable WARREN_HUB__PARTITIONS: hub.partitions = \"many\", must be a whole number"
    );
    assert_eq!(refused("", &[], &[("hub", "x")]), "--set: hub is a section, set one of its settings");
    assert_eq!(
        refused("[hub.name]\nx = 1", &[], &[]),
        "warren.toml: unknown setting hub.name.x, did you mean hub.name?"
    );
    assert_eq!(
        refused("[worker]\nqueues = [1]", &[], &[]),
        "warren.toml: worker.queues is a list, must be a list of texts"
    );
}

#[test]
fn a_value_that_its_type_refuses_names_key_and_place() {
    assert_eq!(
        refused("[log]\nformat = \"xml\"", &[], &[]),
        "warren.toml: log.format: \"xml\", must be pretty or json"
    );
    let negative = refused("", &[], &[("hub.partitions", "-1")]);
    assert!(negative.starts_with("--set: hub.partitions = "), "{negative}");
    let large = refused("", &[("WARREN_HUB__PARTITIONS", "70000")], &[]);
    assert!(large.starts_with("environment variable WARREN_HUB__PARTITIONS: hub.partitions = "), "{large}");
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = refused("[hub]\npartitions = 0\nname = \"a b\"", &[], &[("worker.concurrency", "0")]);
    assert_eq!(
        problems,
        "warren.toml: hub.name = \"a b\", must be 1 to 40 letters, digits, `_` and `-`\n\
         warren.toml: hub.partitions = 0, must be 1 to 99\n\
         --set: worker.concurrency = 0, must be 1 to 10000"
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let (_folder, sources) = sources("[hub]\nname = \n", &[], &[]);
    let error = load::<Settings>(&sources).unwrap_err();
    assert!(matches!(&error, Error::ParseFile { .. }), "{error}");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn variables_of_tests_scripts_and_kubernetes_are_no_settings() {
    let variables = [
        ("WARREN_LOCAL", "/tmp/x"),
        ("WARREN_TEST_AMQP", "amqp://x"),
        ("WARREN_RABBITMQ", "bundled"),
        ("WARREN_POSTGRES_NAME", "bench"),
        ("WARREN_CONFIG", "warren.toml"),
        ("WARREN_PORT", "tcp://10.0.0.1:80"),
        ("WARREN_SERVICE_HOST", "10.0.0.1"),
        ("WARREN_CLIENT_API_SERVICE_PORT_HTTP", "80"),
        ("WARREN_CLIENT_API_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(loaded("", &variables, &[]).settings, Settings::default());
}

#[test]
fn what_is_printed_loads_again_and_holds_no_password() {
    let url = "amqp://warren:hunter2@broker:5671/v";
    let Loaded { settings, origins } = loaded("[worker]\nqueues = [\"a\"]", &[("WARREN_BROKER__URL", url)], &[]);
    let text = printable(&settings, &origins);
    assert!(!text.contains("hunter2") && !format!("{settings:?}").contains("hunter2"), "{text}");
    assert!(
        text.contains("url = \"amqp://warren:***@broker:5671/v\"  # environment variable WARREN_BROKER__URL"),
        "{text}"
    );
    let again = loaded(&text, &[("WARREN_BROKER__URL", url)], &[]).settings;
    assert_eq!(again, settings);
}

const CHARGE: &str = "[activities.charge]\nkind = \"http\"\nurl = \"https://payments.example/{/id}\"\n";

#[test]
fn a_table_that_a_person_names_holds_what_its_kind_holds() {
    let variables = [("WARREN_ACTIVITIES__CHARGE__TIMEOUT_SECONDS", "7")];
    let set = [("activities.charge.headers", "a: 1, b: {env:B}")];
    let Loaded { settings, origins } = loaded(CHARGE, &variables, &set);
    let ActivitySettings::Http(http) = &settings.activities["charge"] else { panic!("{settings:?}") };
    assert_eq!((http.url.as_str(), http.method.as_str()), ("https://payments.example/{/id}", "POST"));
    assert_eq!((http.timeout_seconds, http.headers.as_slice()), (7, &["a: 1".to_owned(), "b: {env:B}".into()][..]));
    let text = printable(&settings, &origins);
    assert!(text.contains("[activities.charge]\nbody = \"\"\n"), "{text}");
    assert_eq!(loaded(&text, &[], &[]).settings.activities, settings.activities);
    assert_eq!(loaded("[activities]", &[], &[]).settings, Settings::default());
}

#[test]
fn a_table_that_makes_no_sense_is_refused_by_name() {
    assert_eq!(
        refused("[activities.charge]\nurl = \"x\"", &[], &[]),
        "warren.toml: activities.charge has no kind, set activities.charge.kind to one of: command, http, publish, sql"
    );
    assert_eq!(
        refused("[activities.charge]\nkind = \"htpp\"\nurl = \"x\"", &[], &[]),
        "warren.toml: activities.charge.kind = \"htpp\", must be one of: command, http, publish, sql"
    );
    assert_eq!(
        refused(&format!("{CHARGE}ulr = \"x\""), &[], &[]),
        "warren.toml: unknown setting activities.charge.ulr, did you mean activities.charge.url?"
    );
    assert_eq!(
        refused("[activities.\"a b\"]\nkind = \"http\"", &[], &[]),
        "warren.toml: activities.a b is called \"a b\", must be letters, digits, `_` and `-`"
    );
    assert_eq!(
        refused(CHARGE, &[], &[("activities.charge.timeout_seconds", "0")]),
        "--set: activities.charge.timeout_seconds = 0, must be 1 to 3600"
    );
    let negative = refused(CHARGE, &[], &[("activities.charge.timeout_seconds", "-1")]);
    assert!(negative.contains("activities.charge: invalid value: integer `-1`"), "{negative}");
}

#[test]
fn where_a_secret_is_may_be_seen_and_what_it_is_may_not() {
    let hook = "[bindings.hook]\nkind = \"http\"\npath = \"/hook\"\nauthentication = \"bearer\"\nstart = \"x\"\n";
    let Loaded { settings, origins } = loaded(&format!("{hook}secret = \"{{env:HOOK_TOKEN}}\""), &[], &[]);
    let text = printable(&settings, &origins);
    assert!(text.contains("secret = \"{env:HOOK_TOKEN}\""), "{text}");
    assert_eq!(loaded(&text, &[], &[]).settings.bindings, settings.bindings);
    let Loaded { settings, origins } = loaded(&format!("{hook}secret = \"{{env:A}}hunter2{{env:B}}\""), &[], &[]);
    assert!(!printable(&settings, &origins).contains("hunter2"));
}

#[test]
fn secrets_of_headers_are_not_printed_and_their_names_are() {
    let headers = "headers = [\"x-api-key: hunter2\", \"authorization: Bearer {env:TOKEN}\", \"accept: a/b\"]";
    let Loaded { settings, origins } = loaded(&format!("{CHARGE}{headers}"), &[], &[]);
    for text in [printable(&settings, &origins), changes(&settings)] {
        let shown = r#"headers = ["x-api-key: ***","authorization: Bearer {env:TOKEN}","accept: a/b"]"#;
        assert!(text.replace(" = ", "=").contains(&shown.replace(" = ", "=")), "{text}");
    }
    let changed = changes(&settings);
    assert!(changed.contains(r#"activities.charge.kind="http""#) && !changed.contains("method"), "{changed}");
}
