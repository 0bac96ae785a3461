use std::collections::BTreeMap;

use super::*;
use crate::{config::Validate, settings::Settings};

fn http() -> HttpBindingSettings {
    HttpBindingSettings {
        path: "/hooks/github".into(),
        authentication: "hmac".into(),
        secret: "{env:GITHUB_SECRET}".into(),
        mapping: MappingSettings { start: "build".into(), ..MappingSettings::default() },
        ..HttpBindingSettings::default()
    }
}

/// The settings with problems, without the table's name.
fn wrong(bindings: &[(&str, BindingSettings)]) -> Vec<String> {
    let bindings: BTreeMap<_, _> =
        bindings.iter().map(|(name, binding)| ((*name).to_owned(), binding.clone())).collect();
    let mut problems = Problems::default();
    Settings { bindings, ..Settings::default() }.validate(&mut problems);
    assert!(problems.as_slice().iter().all(|problem| !problem.message.contains("hunter2")), "{problems:?}");
    problems.as_slice().iter().map(|problem| problem.key.replace("bindings.github.", "")).collect()
}

#[test]
fn each_bound_of_an_http_binding_is_held() {
    let check = |key: &str, change: fn(&mut HttpBindingSettings)| {
        let mut binding = http();
        change(&mut binding);
        assert_eq!(wrong(&[("github", BindingSettings::Http(binding))]), [key]);
    };
    assert!(wrong(&[("github", BindingSettings::Http(http()))]).is_empty());
    check("path", |http| http.path = "hooks".into());
    check("path", |http| http.path = "/".into());
    check("path", |http| http.path = "/hooks/{name}".into());
    check("path", |http| http.path = "/api/v1/instances".into());
    check("path", |http| http.path = "/health".into());
    check("method", |http| http.method = "GET".into());
    check("authentication", |http| http.authentication.clear());
    check("secret", |http| http.secret.clear());
    check("secret", |http| http.secret = "hunter2".into());
    check("secret", |http| http.secret = "{/secret}{env:A}".into());
    check("secret", |http| http.authentication = "none".into());
    check("signature_header", |http| http.signature_header.clear());
    check("start", |http| http.mapping.start.clear());
    check("raise", |http| http.mapping.raise = "pushed".into());
    check("instance", |http| (http.mapping.start, http.mapping.raise) = (String::new(), "pushed".into()));
    check("instance", |http| http.mapping.instance = "{repository}".into());
    check("message_id", |http| http.mapping.message_id = "{env:ID}".into());
    check("input", |http| http.mapping.input = "order".into());
    check("if_exists", |http| http.mapping.if_exists = "replace".into());
}

#[test]
fn each_bound_of_a_queue_binding_is_held() {
    let check = |key: &str, change: fn(&mut QueueBindingSettings)| {
        let mapping = MappingSettings { start: "ship".into(), ..MappingSettings::default() };
        let mut binding = QueueBindingSettings { queue: "orders".into(), mapping, ..QueueBindingSettings::default() };
        change(&mut binding);
        assert_eq!(wrong(&[("github", BindingSettings::Queue(binding))]), [key]);
    };
    check("url", |queue| queue.url = "http://u:hunter2@broker".into());
    check("url", |queue| queue.url = "amqp://{/host}/".into());
    check("queue", |queue| queue.queue.clear());
    check("queue", |queue| queue.queue = "warren.control.00".into());
    check("dead_letter", |queue| queue.dead_letter = "warren.ingress".into());
    check("dead_letter", |queue| queue.dead_letter = "orders".into());
    check("prefetch", |queue| queue.prefetch = 0);
    check("start", |queue| queue.mapping.start.clear());
}

#[test]
fn each_bound_of_a_stream_binding_is_held() {
    let mapping = MappingSettings { start: "ship".into(), ..MappingSettings::default() };
    let source = QueueBindingSettings { queue: "orders".into(), mapping, ..QueueBindingSettings::default() };
    let stream = StreamBindingSettings { source, ..StreamBindingSettings::default() };
    let of = |change: fn(&mut StreamBindingSettings)| {
        let mut changed = stream.clone();
        change(&mut changed);
        BindingSettings::Stream(changed)
    };
    assert!(wrong(&[("github", of(|_| ()))]).is_empty());
    assert_eq!(wrong(&[("github", of(|stream| stream.from.clear()))]), ["from"]);
    assert_eq!(wrong(&[("github", of(|stream| stream.source.queue.clear()))]), ["queue"]);
    let long = "x".repeat(101);
    assert_eq!(wrong(&[(&long, of(|_| ()))]), [format!("bindings.{long}.kind")]);
}

#[test]
fn no_two_bindings_take_the_same_requests() {
    let put = HttpBindingSettings { method: "PUT".into(), ..http() };
    assert!(wrong(&[("github", BindingSettings::Http(http())), ("other", BindingSettings::Http(put))]).is_empty());
    let twice = [("a", BindingSettings::Http(http())), ("github", BindingSettings::Http(http()))];
    assert_eq!(wrong(&twice), ["path"]);
}
