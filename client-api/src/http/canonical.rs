//! The two bases, and paths whose case differs.

use axum::{
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};

/// Where the routes are: our own base, and that of Durable Functions for the tools that know it.
pub(crate) const BASES: [&str; 2] = ["/api/v1", "/runtime/webhooks/durabletask"];

/// The words of our routes, by the place in which they stand below the base.
const WORDS: [(usize, &[&str]); 2] = [
    (0, &["orchestrators", "instances", "tasks", "hub"]),
    (2, &["raiseEvent", "terminate", "suspend", "resume", "wait", "complete", "fail"]),
];

/// Gives a path the case that the routes have, as Durable Functions takes any, and drops a slash at its end.
pub(crate) async fn canonical(mut request: Request) -> Request {
    if let Some(uri) = canonical_uri(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the URI with the canonical path, if it has another.
fn canonical_uri(uri: &Uri) -> Option<Uri> {
    let path = canonical_path(uri.path())?;
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

fn canonical_path(path: &str) -> Option<String> {
    let base = BASES.into_iter().find(|base| path.get(..base.len()).is_some_and(|p| p.eq_ignore_ascii_case(base)))?;
    let below = path[base.len()..].strip_prefix('/')?;
    let below = below.strip_suffix('/').unwrap_or(below);
    let segments: Vec<&str> = below.split('/').enumerate().map(|(place, segment)| word(place, segment)).collect();
    let canonical = format!("{base}/{}", segments.join("/"));
    (canonical != path).then_some(canonical)
}

fn word(place: usize, segment: &str) -> &str {
    let words = WORDS.iter().find(|(at, _)| *at == place).map_or(&[][..], |(_, words)| words);
    words.iter().find(|word| word.eq_ignore_ascii_case(segment)).unwrap_or(&segment)
}

#[cfg(test)]
#[path = "canonical_test.rs"]
mod test;
