//! A trace begins here, or goes on: with a start, and with whatever brings a trace along.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::Response,
};
use warren_model::TraceContext;
use warren_service::{
    backoff::chance,
    traces::{Kind, Span, Tracer, any_id, now_ns},
};

use crate::http::route;

/// The header that carries a W3C trace context.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What traces a service's requests.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    tracer: Tracer,
    /// How many of a hundred starts without a trace begin one.
    percent: u8,
    /// Whether these requests are starts.
    are_starts: bool,
}

impl Traces {
    /// Returns one that tells this tracer of requests that bring a trace along.
    pub(crate) fn new(tracer: Tracer, percent: u8) -> Self {
        Self { tracer, percent, are_starts: false }
    }

    /// Returns one for requests that start instances, or don't.
    pub(crate) fn of_starts(&self, are_starts: bool) -> Self {
        Self { are_starts, ..self.clone() }
    }

    /// Returns the trace that a request is to be seen in, and the span there that it is part of, 0 for none.
    fn parent(&self, request: &Request) -> Option<(u128, u64)> {
        if let Some(given) = traceparent(request.headers()) {
            return given.is_sampled().then_some((given.trace, given.span));
        }
        let is_chosen = self.are_starts && chance() * 100.0 < f64::from(self.percent);
        is_chosen.then(|| ((u128::from(any_id()) << 64) | u128::from(any_id()), 0))
    }
}

/// Serves a request as a span, if its trace is wanted: what it starts hangs on that.
pub(crate) async fn trace(State(traces): State<Traces>, mut request: Request, next: Next) -> Response {
    let parent = if traces.tracer.is_on() { traces.parent(&request) } else { None };
    let Some((trace, parent)) = parent else { return next.run(request).await };
    let span = Span {
        trace,
        id: any_id(),
        parent,
        name: format!("{} {}", request.method(), route(&request)),
        kind: Kind::Server,
        start_ns: now_ns(),
        end_ns: 0,
        attributes: Vec::new(),
        error: None,
    };
    if let Some(here) = TraceContext::begin(span.trace, span.id)
        && let Ok(header) = HeaderValue::try_from(here.to_string())
    {
        request.headers_mut().insert(TRACEPARENT, header);
    }
    let mut served = Served { tracer: traces.tracer, span: Some(span), status: None };
    let response = next.run(request).await;
    served.status = Some(response.status());
    response
}

/// A request; its span is told when it is dropped, so that one is too whose caller has left.
struct Served {
    tracer: Tracer,
    span: Option<Span>,
    status: Option<StatusCode>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let Some(mut span) = self.span.take() else { return };
        span.end_ns = now_ns();
        match self.status {
            Some(status) => {
                span.attributes.push(("http.response.status_code", u32::from(status.as_u16()).into()));
                span.error = status.is_server_error().then(|| status.as_u16().to_string());
            }
            None => span.error = Some("not answered".into()),
        }
        self.tracer.send(span);
    }
}

/// Returns the trace that a caller is in; what is no trace context is ignored, as its standard asks.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
#[path = "traces_test.rs"]
mod test;
