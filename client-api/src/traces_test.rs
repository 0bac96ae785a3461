use axum::{Router, body::Body, middleware::from_fn_with_state, routing::post};
use tower::ServiceExt;
use warren_service::settings::TelemetrySettings;

use super::*;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What the handler of a request with this header is told of its trace.
async fn told(percent: u8, path: &str, header: Option<&str>) -> Option<String> {
    let settings = TelemetrySettings { otlp_endpoint: "http://127.0.0.1:1".into(), ..TelemetrySettings::default() };
    let (tracer, _exporter) = Tracer::new(&settings, "client-api", "api-1", "orders");
    let handler =
        |headers: HeaderMap| async move { traceparent(&headers).map(|trace| trace.to_string()).unwrap_or_default() };
    let app = Router::new()
        .route("/api/v1/orchestrators/{name}", post(handler))
        .route("/api/v1/instances/{id}/suspend", post(handler))
        .layer(from_fn_with_state(Traces::new(tracer, percent).of_starts(path.contains("orchestrators")), trace));
    let mut request = Request::post(path);
    if let Some(header) = header {
        request = request.header(TRACEPARENT, header);
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    Some(String::from_utf8(body.to_vec()).unwrap()).filter(|text| !text.is_empty())
}

#[tokio::test]
async fn a_start_begins_a_trace_or_goes_on_with_that_of_its_sender() {
    let start = "/api/v1/orchestrators/order";
    let begun: TraceContext = told(100, start, None).await.unwrap().parse().unwrap();
    let again: TraceContext = told(100, start, Some("no trace")).await.unwrap().parse().unwrap();
    assert!(begun.is_sampled() && begun.trace != again.trace);
    assert_eq!(told(0, start, None).await, None, "none is wanted");
    let (given, continued): (TraceContext, TraceContext) =
        (TRACE.parse().unwrap(), told(0, start, Some(TRACE)).await.unwrap().parse().unwrap());
    assert_eq!(continued.trace, given.trace);
    assert_ne!(continued.span, given.span, "what is started hangs on the request's own span");
    let unwanted = TRACE.replace("-01", "-00");
    assert_eq!(told(100, start, Some(&unwanted)).await, Some(unwanted), "its sender has decided");
}

#[tokio::test]
async fn other_requests_begin_no_trace() {
    let path = "/api/v1/instances/order-7/suspend";
    assert_eq!(told(100, path, None).await, None);
    assert!(told(100, path, Some(TRACE)).await.unwrap().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
}
