//! Which handler takes which route.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state, map_request},
    routing::{get, post},
};
use tower_http::catch_panic::CatchPanicLayer;
use warren_broker::Broker;
use warren_service::health::Health;
use warren_store::{Payloads, Queries};

use crate::{
    api::Api,
    bindings::Bindings,
    http::{BASES, canonical, identify, no_binding, no_method, no_route, panicked},
    metrics,
    routes::{
        complete, fail, health, heartbeat, hub, list, purge, purge_all, raise, redispatch, resume, start, status,
        suspend, terminate, wait,
    },
    traces::{Traces, trace},
};

/// Returns the whole API: the same routes under both bases, and the health endpoints.
pub(crate) fn router<B: Broker, Q: Queries + Payloads>(
    api: &Api<Q>,
    bindings: &Bindings,
    health_of_service: Health,
    broker: B,
    traces: &Traces,
) -> Router {
    let traced = |traces: Traces| from_fn_with_state(traces, trace);
    let starts = BASES.into_iter().fold(Router::new(), |router, base| router.merge(starts(base)));
    let others = BASES.into_iter().fold(Router::new(), |router, base| router.merge(below(base)));
    let routes = starts
        .layer(traced(traces.of_starts(true)))
        .merge(others.layer(traced(traces.of_starts(false))))
        .merge(bindings.routes(traces))
        .with_state(api.clone())
        .merge(health(health_of_service, broker, api.clone()))
        .fallback(no_route);
    served(routes, api)
}

/// Returns the paths of bindings alone.
pub(crate) fn paths<Q: Queries>(api: &Api<Q>, bindings: &Bindings, traces: &Traces) -> Router {
    served(bindings.routes(traces).with_state(api.clone()).fallback(no_binding), api)
}

/// Returns the routes with what every request goes through.
fn served<Q: Queries>(routes: Router, api: &Api<Q>) -> Router {
    let routes = routes
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(api.options().body_bytes_max))
        .layer(from_fn(metrics::count));
    // A router of its own around the other: what is to change the path must come before the path is looked at.
    Router::new()
        .fallback_service(routes)
        .layer(map_request(canonical))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(identify))
}

fn starts<Q: Queries>(base: &str) -> Router<Api<Q>> {
    Router::new()
        .route(&format!("{base}/orchestrators/{{name}}"), post(start))
        .route(&format!("{base}/orchestrators/{{name}}/{{id}}"), post(start))
}

fn below<Q: Queries>(base: &str) -> Router<Api<Q>> {
    Router::new()
        .route(&format!("{base}/instances"), get(list).delete(purge_all))
        .route(&format!("{base}/instances/{{id}}"), get(status).delete(purge))
        .route(&format!("{base}/instances/{{id}}/wait"), get(wait))
        .route(&format!("{base}/instances/{{id}}/raiseEvent/{{event}}"), post(raise))
        .route(&format!("{base}/instances/{{id}}/terminate"), post(terminate))
        .route(&format!("{base}/instances/{{id}}/suspend"), post(suspend))
        .route(&format!("{base}/instances/{{id}}/resume"), post(resume))
        .route(&format!("{base}/tasks/{{token}}/complete"), post(complete))
        .route(&format!("{base}/tasks/{{token}}/fail"), post(fail))
        .route(&format!("{base}/tasks/{{token}}/heartbeat"), post(heartbeat))
        .route(&format!("{base}/hub"), get(hub))
        .route(&format!("{base}/hub/redispatch"), post(redispatch))
}

#[cfg(test)]
#[path = "router_test.rs"]
mod test;
