//! Where an answer leads, and whether it may.

use ::http::{
    Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use hyper::body::Bytes;
use url::Url;

use super::client::{Answer, Call};

/// How many redirects are followed.
pub(super) const HOPS_MAX: usize = 5;

/// Returns the request that a redirect asks for; `None`: the answer is none, or not one that may be followed.
///
/// A 301 or 302 turns into a GET by long custom, which would lose what was to be done: only a GET is so followed.
pub(super) fn next(call: &Call, answer: &Answer) -> Option<Call> {
    let is_read = call.method == Method::GET || call.method == Method::HEAD;
    let next = match answer.status {
        StatusCode::SEE_OTHER => get(call),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => call.clone(),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if is_read => call.clone(),
        _ => return None,
    };
    Some(Call { url: location(answer)?, ..next })
}

/// Returns the request that only looks, with the headers of another.
pub(super) fn get(call: &Call) -> Call {
    let mut get = Call { method: Method::GET, body: Bytes::new(), ..call.clone() };
    get.common.remove(CONTENT_TYPE);
    get.own.remove(CONTENT_TYPE);
    get
}

/// Returns where the answer's `Location` is.
pub(super) fn location(answer: &Answer) -> Option<Url> {
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    answer.url.join(location).ok()
}

/// Says why an answer to `call` may not lead to `url`. Addresses are checked when it is connected to.
pub(super) fn check(call: &Call, url: &Url, hosts: &[String]) -> Result<(), String> {
    let home = call.home.ascii_serialization();
    if url.scheme() != "https" && !(url.scheme() == "http" && call.url.scheme() == "http") {
        return Err(format!("{home} leads to {}: that is neither https, nor http as before", url.scheme()));
    }
    // An address of IPv6 has brackets here alone.
    let host = url.host_str().unwrap_or_default();
    let is_home = url::Host::parse(host).ok().is_some_and(|host| match &call.home {
        url::Origin::Tuple(_, home, _) => *home == host,
        url::Origin::Opaque(_) => false,
    });
    if is_home || hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host.trim_matches(['[', ']']))) {
        return Ok(());
    }
    Err(format!("{home} leads to {host}, which is not in redirect_hosts"))
}
