//! The addresses of the broker's nodes: read from configuration, and shown without their passwords.

use lapin::uri::AMQPUri;

use super::AmqpConfig;
use crate::{Error, Result};

/// Where a node of the broker is.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// For lapin.
    pub(super) uri: AMQPUri,
    /// For people; has no password.
    pub(super) shown: String,
}

/// Returns the addresses of a list. A comma separates two where the next begins with `amqp://` or `amqps://`, so that a
/// password may hold commas.
pub fn addresses(list: &str) -> Vec<&str> {
    let begins_another =
        |&(at, _): &(usize, &str)| ["amqp://", "amqps://"].iter().any(|it| list[at + 1..].trim_start().starts_with(it));
    let mut found = Vec::new();
    let mut start = 0;
    for (comma, _) in list.match_indices(',').filter(begins_another) {
        found.push(&list[start..comma]);
        start = comma + 1;
    }
    found.push(&list[start..]);
    found
}

/// Reads the addresses that the configuration has, at least one.
pub(super) fn read(config: &AmqpConfig) -> Result<Vec<Target>> {
    addresses(&config.url).into_iter().map(|url| Target::read(url, config)).collect()
}

/// Shows them all.
pub(super) fn show_all(targets: &[Target]) -> String {
    targets.iter().map(|target| target.shown.as_str()).collect::<Vec<_>>().join(", ")
}

impl Target {
    fn read(url: &str, config: &AmqpConfig) -> Result<Self> {
        let url = url.trim();
        let mut uri: AMQPUri = url.parse().map_err(|why: String| not_understood(url, &why))?;
        if url.rsplit('@').next().is_some_and(|rest| rest.contains(',')) {
            return Err(not_understood(url, "it has a comma: each node of a list begins with amqp:// or amqps://"));
        }
        // The parser takes an IPv6 address for no host at all, and would silently go to localhost.
        if let Some(host) = ipv6_host(url) {
            uri.authority.host = host.into();
        }
        // Nobody has a virtual host without a name; a slash at the end is a habit.
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        uri.query.heartbeat = Some(u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX).max(1));
        uri.query.connection_timeout = u64::try_from(config.connect_timeout.as_millis()).ok();
        let shown = show(&uri);
        Ok(Self { uri, shown })
    }
}

fn show(uri: &AMQPUri) -> String {
    let (user, host) = (&uri.authority.userinfo.username, &uri.authority.host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    format!("{}://{user}@{host}:{}/{}", uri.scheme, uri.authority.port, uri.vhost.replace('/', "%2f"))
}

fn not_understood(url: &str, why: &str) -> Error {
    let address = without_password(url);
    // The parser may quote the text.
    let why = why.replace(url, &address);
    Error::Address { address, why: format!("{why}; expected amqp://user:password@host:port/vhost") }
}

fn ipv6_host(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    Some(host.strip_prefix('[')?.split_once(']')?.0)
}

/// Returns a text that was to be an address without what may be its password.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let shown = match rest.rsplit_once('@') {
        None => rest.to_owned(),
        Some((userinfo, host)) => {
            let user = userinfo.split_once(':').map_or(userinfo, |(user, _)| user);
            format!("{user}@{host}")
        }
    };
    scheme.map_or(shown.clone(), |scheme| format!("{scheme}://{shown}"))
}

#[cfg(test)]
#[path = "address_test.rs"]
mod test;
