//! Requests to a path of their own.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header::HeaderName},
    middleware::from_fn_with_state,
    response::Response,
    routing::{MethodFilter, on},
};
use warren_bindings::{Arrival, Error, Maker, Mapping};
use warren_service::settings::HttpBindingSettings;
use warren_store::Queries;

use super::authentication::Gatekeeper;
use crate::{
    api::Api,
    http::{parse, read},
    problem::Problem,
    routes::committed,
    traces::{Traces, trace, traceparent},
};

/// By which a sender without a better way names its request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One path, and what becomes of its requests.
#[derive(Debug)]
pub(crate) struct HttpBinding {
    name: String,
    path: String,
    method: MethodFilter,
    gatekeeper: Gatekeeper,
    mapping: Mapping,
}

impl HttpBinding {
    pub(super) fn new(name: &str, settings: &HttpBindingSettings) -> Result<Self, Error> {
        let maker = Maker::new(name);
        let method: Method = settings.method.parse().map_err(|_| maker.wrong("method", "is no method"))?;
        Ok(Self {
            name: name.into(),
            path: settings.path.clone(),
            method: MethodFilter::try_from(method).map_err(|error| maker.wrong("method", error.to_string()))?,
            gatekeeper: Gatekeeper::new(maker, settings)?,
            mapping: Mapping::new(maker, &settings.mapping)?,
        })
    }

    async fn take<Q: Queries>(&self, api: Api<Q>, request: Request) -> Result<Response, Problem> {
        let headers = request.headers().clone();
        let body = read(request, &api).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if !self.gatekeeper.knows(&headers, &body, now) {
            tracing::warn!(binding = self.name, "refused a request whose sender is not known");
            let why = "the request does not show who sends it: its token or signature is missing or wrong";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", why));
        }
        let header = |name: &str| text(&headers, name);
        let arrival = Arrival {
            body: parse(&body)?,
            header: &header,
            id: text(&headers, IDEMPOTENCY_KEY.as_str()),
            traceparent: traceparent(&headers).map(|trace| trace.to_string()),
        };
        let order = self.mapping.order(arrival).map_err(|why| {
            tracing::warn!(binding = self.name, why, "refused a request that the mapping does not fit");
            Problem::invalid(format!("the mapping of this path does not fit: {why}"))
        })?;
        let client = api.commander()?;
        Ok(committed(order.send(&client).await?))
    }
}

/// Returns the routes of these bindings.
pub(crate) fn routes<Q: Queries>(bindings: &[Arc<HttpBinding>], traces: &Traces) -> Router<Api<Q>> {
    bindings.iter().fold(Router::new(), |router, binding| {
        let take = {
            let binding = binding.clone();
            move |State(api): State<Api<Q>>, request: Request| {
                let binding = binding.clone();
                async move { binding.take(api, request).await }
            }
        };
        let traces = traces.of_starts(binding.mapping.is_start());
        router.route(&binding.path, on(binding.method, take).layer(from_fn_with_state(traces, trace)))
    })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
#[path = "http_test.rs"]
mod test;
