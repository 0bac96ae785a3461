use tokio_postgres::config::Host;

use super::*;

fn parse(url: &str) -> Result<Address> {
    Address::parse(url, "orders")
}

fn refused(url: &str) -> String {
    match parse(url) {
        Err(Error::Mismatch(why)) => why,
        other => panic!("{url}: {:?}", other.map(|address| address.to_string())),
    }
}

#[test]
fn a_hub_has_a_schema_of_its_own_unless_the_url_names_one() {
    let address = parse("postgres://u:p%40ss@db:6432/app").unwrap();
    assert_eq!(address.to_string(), "schema \"warren_orders\" of database \"app\"");
    assert_eq!(address.config.get_hosts(), [Host::Tcp("db".into())]);
    assert_eq!(address.config.get_password(), Some(&b"p@ss"[..]));
    let named = parse("postgresql://u@db/app?application_name=a&schema=team_a&connect_timeout=7").unwrap();
    assert_eq!((named.schema.as_str(), named.config.get_application_name()), ("team_a", Some("a")));
    assert_eq!(Address::parse("postgres://db", "My-Hub").unwrap().schema, "warren_My-Hub");
}

#[test]
fn a_schema_s_name_needs_no_escaping_and_is_never_cut() {
    for schema in ["", "a%22b", "a b", "a.b", "ä", &"x".repeat(64)] {
        assert!(refused(&format!("postgres://db/app?schema={schema}")).contains("must be 1 to 63"), "{schema}");
    }
    assert!(Address::parse("postgres://db", &"h".repeat(56)).is_ok());
    assert!(Address::parse("postgres://db", &"h".repeat(57)).is_err());
}

#[test]
fn encryption_is_what_postgresql_s_users_mean_by_it() {
    let mode = |url| parse(url).map(|address| (address.config.get_ssl_mode(), address.trust)).unwrap();
    assert_eq!(mode("postgres://db"), (SslMode::Prefer, Trust::Anybody));
    assert_eq!(mode("postgres://db?sslmode=disable"), (SslMode::Disable, Trust::None));
    assert_eq!(mode("postgres://db?sslmode=prefer"), (SslMode::Prefer, Trust::Anybody));
    assert_eq!(mode("postgres://db/x?sslmode=require&schema=a"), (SslMode::Require, Trust::Anybody));
    assert_eq!(mode("postgres://db?sslmode=verify-full"), (SslMode::Require, Trust::Roots(None)));
    assert_eq!(mode("postgres://db?sslmode=verify-full&sslrootcert=system"), (SslMode::Require, Trust::Roots(None)));
    let own = mode("postgres://db?sslrootcert=/etc/my%20ca.pem&sslmode=verify-full");
    assert_eq!(own, (SslMode::Require, Trust::Roots(Some("/etc/my ca.pem".into()))));
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    assert!(refused("postgres://db?sslmode=allow").contains("sslmode=allow is not served"));
    assert!(refused("postgres://db?sslmode=verify-ca").contains("verify-full"));
    assert!(refused("postgres://db?sslmode=on").contains("sslmode=on is none"));
    assert!(refused("postgres://db?sslmode=require&sslrootcert=a.pem").contains("verify-full only"));
    assert!(refused("postgres://db?sslcert=a.pem").contains("sslcert"));
    assert!(refused("postgres://db:port/app").contains("port"));
}

#[test]
fn a_refusal_has_no_password() {
    for url in
        ["postgres://u:hunter2@db:port/app", "postgres://u:hunter2@db/app?sslmode=on", "postgres://u:hunter2@db/a?b=c"]
    {
        assert!(!refused(url).contains("hunter2"), "{url}");
    }
}
