use super::*;
use crate::Topology;

fn read(url: &str) -> Result<Target> {
    super::read(&config(url)).map(|mut targets| targets.remove(0))
}

fn config(url: &str) -> AmqpConfig {
    AmqpConfig::new(url, "test", Topology::new("h").unwrap())
}

#[test]
fn a_comma_separates_addresses_unless_it_belongs_to_a_password() {
    let check = |list: &str, shown: &str| assert_eq!(show_all(&super::read(&config(list)).unwrap()), shown, "{list}");
    check("amqp://u:a@h1/v,amqp://u:b@h2:1/v", "amqp://u@h1:5672/v, amqp://u@h2:1/v");
    check(" amqp://h1/v , amqps://h2/v\n", "amqp://guest@h1:5672/v, amqps://guest@h2:5671/v");
    check("amqp://u:a,b@h1/v", "amqp://u@h1:5672/v");
    for (list, what) in [
        ("amqp://h1,", "h1,"),
        ("amqp://u:secret@h1/v,h2/v", "u@h1/v,h2/v"),
        ("amqp://h1,amqp://u:secret@h 2", "amqp://u@h 2"),
    ] {
        let error = super::read(&config(list)).map(|targets| show_all(&targets)).unwrap_err().to_string();
        assert!(error.contains(what) && !error.contains("secret"), "{error}");
    }
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
    let mut config = config("amqp://host");
    assert_eq!(super::read(&config).unwrap()[0].uri.query.heartbeat, Some(2));
    config.heartbeat = std::time::Duration::from_millis(100);
    assert_eq!(super::read(&config).unwrap()[0].uri.query.heartbeat, Some(1));
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
