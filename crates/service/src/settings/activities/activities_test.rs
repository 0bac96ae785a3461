use std::collections::BTreeMap;

use super::*;
use crate::{config::Validate, settings::Settings};

/// The settings with problems after `change`, without the table's name.
fn wrong_http(change: impl FnOnce(&mut HttpSettings)) -> Vec<String> {
    let mut http = HttpSettings { url: "https://api.example.com/orders/{/id}".into(), ..HttpSettings::default() };
    change(&mut http);
    wrong(ActivitySettings::Http(http)).into_iter().map(|(key, _)| key).collect()
}

fn wrong(activity: ActivitySettings) -> Vec<(String, String)> {
    let activities = BTreeMap::from([("charge".to_owned(), activity)]);
    let mut problems = Problems::default();
    Settings { activities, ..Settings::default() }.validate(&mut problems);
    let found = problems.as_slice().iter();
    found.map(|problem| (problem.key.replace("activities.charge.", ""), problem.message.clone())).collect()
}

#[test]
fn each_bound_of_an_http_activity_is_held() {
    let check = |key: &str, change: fn(&mut HttpSettings)| assert_eq!(wrong_http(change), [key]);
    assert!(wrong_http(|_| ()).is_empty());
    check("method", |http| http.method = "post".into());
    check("url", |http| http.url.clear());
    check("url", |http| http.url = "ftp://api.example.com".into());
    check("url", |http| http.url = "https://user:hunter2@api.example.com/".into());
    check("url", |http| http.url = "https://api.example.com/{id}".into());
    check("headers", |http| http.headers = vec!["authorization".into()]);
    check("headers", |http| http.headers = vec!["x: a\r\nb: c".into()]);
    check("headers", |http| http.headers = vec!["x: {y}".into()]);
    check("body", |http| http.body = "order".into());
    check("retryable_statuses", |http| http.retryable_statuses = vec!["2xx".into()]);
    check("retryable_statuses", |http| http.retryable_statuses = vec!["50x".into()]);
    check("redirect_hosts", |http| http.redirect_hosts = vec!["https://api.example.com".into()]);
    check("redirect_hosts", |http| http.redirect_hosts = vec!["*".into()]);
    check("private_hosts", |http| http.private_hosts = vec!["10.0.0.0/8".into()]);
    check("connect_timeout_seconds", |http| http.connect_timeout_seconds = 0);
    check("timeout_seconds", |http| http.timeout_seconds = 3_601);
    check("poll_seconds_max", |http| http.poll_seconds_max = 86_401);
    check("poll_interval_seconds", |http| http.poll_interval_seconds = 0);
    check("response_kilobytes_max", |http| http.response_kilobytes_max = 0);
}

#[test]
fn each_bound_of_a_command_is_held() {
    let check = |key: &str, change: fn(&mut CommandSettings)| {
        let mut command = CommandSettings { program: "/bin/true".into(), ..CommandSettings::default() };
        change(&mut command);
        let wrong = wrong(ActivitySettings::Command(command));
        assert_eq!(wrong.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [key]);
    };
    check("program", |command| command.program = "true".into());
    check("folder", |command| command.folder.clear());
    check("arguments", |command| command.arguments = vec!["{".into()]);
    check("arguments", |command| command.arguments = vec!["--token={env:TOKEN}".into()]);
    check("input", |command| command.input = "order".into());
    check("output", |command| command.output = "xml".into());
    check("environment", |command| command.environment = vec!["A=1".into()]);
    check("retryable_exit_codes", |command| command.retryable_exit_codes = vec!["0".into()]);
    check("retryable_exit_codes", |command| command.retryable_exit_codes = vec!["256".into()]);
    check("timeout_seconds", |command| command.timeout_seconds = 0);
    check("grace_seconds", |command| command.grace_seconds = 301);
    check("output_kilobytes_max", |command| command.output_kilobytes_max = 0);
    check("memory_megabytes_max", |command| command.memory_megabytes_max = 1_048_577);
}

#[test]
fn each_bound_of_an_sql_activity_is_held() {
    let check = |key: &str, change: fn(&mut SqlSettings)| {
        let mut sql =
            SqlSettings { url: "postgres://db/app".into(), statement: "SELECT 1".into(), ..SqlSettings::default() };
        change(&mut sql);
        let wrong = wrong(ActivitySettings::Sql(sql));
        assert_eq!(wrong.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [key]);
        assert!(!wrong[0].1.contains("hunter2"), "{wrong:?}");
    };
    check("url", |sql| sql.url = "mysql://u:hunter2@db/app".into());
    check("url", |sql| sql.url = "postgres://u:hunter2@{/host}/app".into());
    check("url", |sql| sql.url = "".into());
    check("statement", |sql| sql.statement = " ".into());
    check("parameters", |sql| sql.parameters = vec!["{id}".into()]);
    check("connections", |sql| sql.connections = 0);
    check("timeout_seconds", |sql| sql.timeout_seconds = 3_601);
    check("rows_max", |sql| sql.rows_max = 0);
    check("result_kilobytes_max", |sql| sql.result_kilobytes_max = 0);
}

#[test]
fn each_bound_of_a_publishing_activity_is_held() {
    let check = |key: &str, change: fn(&mut PublishSettings)| {
        let mut publish = PublishSettings { exchange: "orders".into(), ..PublishSettings::default() };
        change(&mut publish);
        let wrong = wrong(ActivitySettings::Publish(publish));
        assert_eq!(wrong.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [key]);
        assert!(!wrong[0].1.contains("hunter2"), "{wrong:?}");
    };
    check("url", |publish| publish.url = "http://u:hunter2@broker".into());
    check("url", |publish| publish.url = "amqp://{/host}/v".into());
    check("exchange", |publish| publish.exchange.clear());
    check("routing_key", |publish| publish.routing_key = "{kind}".into());
    check("headers", |publish| publish.headers = vec!["x".into()]);
    check("body", |publish| publish.body = "order".into());
    check("timeout_seconds", |publish| publish.timeout_seconds = 0);
}

#[test]
fn the_input_never_chooses_the_server() {
    for host in ["{/host}", "{}", "api.{}.com", "{/host}.example.com", "{instance}", ""] {
        assert_eq!(wrong_http(|http| http.url = format!("https://{host}/x")), ["url"], "{host}");
    }
    assert!(wrong_http(|http| http.url = "https://{env:HOST}:8443/x?a={/a}".into()).is_empty());
}

#[test]
fn a_problem_shows_no_secret() {
    let http = HttpSettings {
        url: "https://user:hunter2@api.example.com/".into(),
        headers: vec!["authorization hunter2".into()],
        ..HttpSettings::default()
    };
    let problems = wrong(ActivitySettings::Http(http));
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|(_, message)| !message.contains("hunter2")), "{problems:?}");
}

#[test]
fn statuses_are_single_or_by_the_hundred() {
    assert_eq!(Statuses::parse("503"), Some(Statuses::One(503)));
    assert_eq!(Statuses::parse("5xx"), Some(Statuses::Hundred(5)));
    for wrong in ["200", "600", "1xx", "xx", "5x", "fivexx", ""] {
        assert_eq!(Statuses::parse(wrong), None, "{wrong}");
    }
    let contained = [Statuses::Hundred(5), Statuses::One(429)].map(|statuses| statuses.contains(503));
    assert_eq!(contained, [true, false]);
}
