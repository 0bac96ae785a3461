//! What a request is called where requests are counted and traced.

use axum::extract::{MatchedPath, Request};

use super::BASES;

/// What stands for every path that no route has.
const UNROUTED: &str = "none";

/// Returns the template of a request's route, whichever base it came by; never its path, of which there are too many.
pub(crate) fn route(request: &Request) -> &str {
    let route = request.extensions().get::<MatchedPath>().map_or(UNROUTED, MatchedPath::as_str);
    BASES.into_iter().find_map(|base| route.strip_prefix(base)).unwrap_or(route)
}
