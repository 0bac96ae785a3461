//! What client-api exports: every metric of it has its name and its meaning here.
//!
//! A request is counted under its route's template, never under its path. Its counters are looked up each time: that is
//! little beside a request.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use metrics::{counter, gauge, histogram};
use warren_service::metrics::Share;

use crate::http::route;

/// Says what the metrics mean.
pub(crate) fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_counter!(
        "warren_http_requests_total",
        "requests, by route, method and class of status; none: the caller left before the answer, or a bug was met"
    );
    describe_histogram!("warren_http_request_seconds", "how long requests took, waits included, by route and method");
    describe_gauge!("warren_waits_open", "requests that wait for the end of an instance");
}

/// Counts a request, and how long it took.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let mut served = Served {
        route: route(&request).to_owned(),
        method: word(request.method()),
        begun: Instant::now(),
        status: None,
    };
    let response = next.run(request).await;
    served.status = Some(response.status());
    response
}

/// A request waits for the end of an instance, until this is dropped.
pub(crate) fn waits() -> Share {
    let mut wait = Share::of(gauge!("warren_waits_open"));
    wait.set(1);
    wait
}

/// A request; counted when it is dropped, so that one is too whose caller has left.
struct Served {
    route: String,
    method: &'static str,
    begun: Instant,
    status: Option<StatusCode>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let (route, method, status) = (std::mem::take(&mut self.route), self.method, class(self.status));
        counter!("warren_http_requests_total", "route" => route.clone(), "method" => method, "status" => status)
            .increment(1);
        histogram!("warren_http_request_seconds", "route" => route, "method" => method).record(self.begun.elapsed());
    }
}

fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

fn class(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        None => "none",
        Some(..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(500..) => "5xx",
    }
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod test;
