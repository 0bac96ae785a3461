use super::*;
use crate::Topology;

fn read(url: &str) -> Result<Target> {
    Target::read(&AmqpConfig::new(url, "test", Topology::new("h").unwrap()))
}

#[test]
fn an_address_is_shown_without_its_password() {
    for (url, shown) in [
        ("amqp://u:secret@host:5673/v", "amqp://u@host:5673/v"),
        ("amqp://u:sec%40ret@host", "amqp://u@host:5672/%2f"),
        ("amqp://host/", "amqp://guest@host:5672/%2f"),
        ("amqp://u:secret@10.0.0.1:1/%2f", "amqp://u@10.0.0.1:1/%2f"),
        ("amqps://u:secret@host/a%2fb", "amqps://u@host:5671/a%2fb"),
        (" amqp://host\n", "amqp://guest@host:5672/%2f"),
    ] {
        assert_eq!(read(url).unwrap().shown, shown, "{url}");
    }
}

#[test]
fn an_ipv6_address_is_not_taken_for_localhost() {
    let target = read("amqp://u:secret@[fd00::1]:5673/v").unwrap();
    assert_eq!((target.uri.authority.host.as_str(), target.uri.authority.port), ("fd00::1", 5673));
    assert_eq!(target.shown, "amqp://u@[fd00::1]:5673/v");
}

#[test]
fn a_heartbeat_is_always_asked_for() {
    let mut config = AmqpConfig::new("amqp://host", "test", Topology::new("h").unwrap());
    assert_eq!(Target::read(&config).unwrap().uri.query.heartbeat, Some(2));
    config.heartbeat = std::time::Duration::from_millis(100);
    assert_eq!(Target::read(&config).unwrap().uri.query.heartbeat, Some(1));
}

#[test]
fn text_that_is_no_address_is_refused_without_showing_a_password() {
    for (url, shown) in [
        ("host:5672", "host:5672"),
        ("http://u:secret@host", "http://u@host"),
        ("u:secret@host", "u@host"),
        ("amqp://u:secret@ho st/", "amqp://u@ho st/"),
        ("", ""),
    ] {
        let error = read(url).unwrap_err().to_string();
        assert!(error.starts_with(&format!("read the broker's address {shown:?}: ")), "{error}");
        assert!(error.ends_with("; expected amqp://user:password@host:port/vhost"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
