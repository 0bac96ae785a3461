//! The broker's address: read from configuration, and shown without its password.

use lapin::uri::AMQPUri;

use super::AmqpConfig;
use crate::{Error, Result};

/// Where a broker is.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// For lapin.
    pub(super) uri: AMQPUri,
    /// For people; has no password.
    pub(super) shown: String,
}

impl Target {
    /// Reads the address that the configuration has.
    pub(super) fn read(config: &AmqpConfig) -> Result<Self> {
        let url = config.url.trim();
        let mut uri: AMQPUri = url.parse().map_err(|why: String| not_understood(url, &why))?;
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
