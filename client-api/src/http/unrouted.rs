//! Requests that no handler takes.

use std::any::Any;

use axum::{
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::BASES;
use crate::problem::Problem;

/// The routes, for whoever has lost their way.
const ROUTES: &str = "POST /orchestrators/{name}, POST /orchestrators/{name}/{id}, GET /instances, GET /instances/{id}, \
                      GET /instances/{id}/wait, POST /instances/{id}/raiseEvent/{event}, \
                      POST /instances/{id}/terminate, POST /instances/{id}/suspend, POST /instances/{id}/resume, \
                      DELETE /instances, DELETE /instances/{id}, GET /hub, \
                      POST /hub/redispatch";

/// Answers a path that no binding has, where there is nothing else.
pub(crate) async fn no_binding(method: Method, uri: Uri) -> Problem {
    let message = format!("{method} {} is no path of a binding, and there is nothing else here", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no_route", message)
}

/// Answers a path that no route has.
pub(crate) async fn no_route(method: Method, uri: Uri) -> Problem {
    let path = uri.path();
    let hint = match BASES.into_iter().find(|base| path.starts_with(base)) {
        Some(base) => format!("the routes under {base} are {ROUTES}"),
        None => format!(
            "the routes are under {} and, the same, under {}, and /health/live, /health/ready",
            BASES[0], BASES[1]
        ),
    };
    let message = format!("{method} {path} is no route of this API: {hint}");
    Problem::new(StatusCode::NOT_FOUND, "no_route", message)
}

/// Answers a method that a route does not take; the header `Allow` has those that it does.
pub(crate) async fn no_method(method: Method, uri: Uri) -> Problem {
    let message = format!("{method} is not taken by {}: see the header Allow for what is", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no_method", message)
}

/// Answers for a handler that panicked.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("no text"), "a handler panicked");
    Problem::internal("this request met a bug of the API; its log has the details under the request's id")
        .into_response()
}
