use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value as Object, json};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use super::*;

/// A collector that answers with these, one after the other, and then takes everything.
#[derive(Clone, Default)]
struct Sink {
    answers: Arc<Mutex<Vec<StatusCode>>>,
    seen: Arc<Mutex<Vec<Object>>>,
}

impl Sink {
    /// Starts it; returns the settings that name it.
    async fn start(self) -> TelemetrySettings {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let otlp_endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().route("/v1/traces", post(take)).with_state(self);
        tokio::spawn(axum::serve(listener, app).into_future());
        TelemetrySettings { otlp_endpoint, ..TelemetrySettings::default() }
    }

    async fn wait_for(&self, requests: usize) -> Vec<Object> {
        let seen = async {
            while self.seen.lock().unwrap().len() < requests {
                sleep_a_little().await;
            }
        };
        timeout(Duration::from_secs(30), seen).await.unwrap();
        self.seen.lock().unwrap().clone()
    }
}

async fn sleep_a_little() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

async fn take(State(sink): State<Sink>, Json(request): Json<Object>) -> StatusCode {
    sink.seen.lock().unwrap().push(request);
    sink.answers.lock().unwrap().pop().unwrap_or(StatusCode::OK)
}

fn span(id: u64) -> Span {
    Span {
        trace: 0xabc,
        id,
        parent: 7,
        name: "turn".into(),
        kind: Kind::Consumer,
        start_ns: 1_000,
        end_ns: 2_000,
        attributes: vec![("instance", Value::from("order-7".to_owned())), ("turn", Value::from(3))],
        error: Some("declined".into()),
    }
}

fn ids(request: &Object) -> Vec<Object> {
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    spans.iter().map(|span| span["spanId"].clone()).collect()
}

#[tokio::test]
async fn spans_are_sent_as_otlp_says() {
    let sink = Sink::default();
    let settings = sink.clone().start().await;
    let (tracer, exporter) = Tracer::new(&settings, "orchestrator-svc", "svc-1", "orders");
    assert!(tracer.is_on());
    let exporting = tokio::spawn(exporter.run(std::future::pending()));
    tracer.send(span(0x2a));
    let seen = sink.wait_for(1).await;
    exporting.abort();
    let expected = json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "orchestrator-svc"}},
            {"key": "service.instance.id", "value": {"stringValue": "svc-1"}},
            {"key": "service.namespace", "value": {"stringValue": "orders"}},
        ]},
        "scopeSpans": [{
            "scope": {"name": "warren", "version": env!("CARGO_PKG_VERSION")},
            "spans": [{
                "traceId": "00000000000000000000000000000abc",
                "spanId": "000000000000002a",
                "parentSpanId": "0000000000000007",
                "name": "turn",
                "kind": 5,
                "startTimeUnixNano": "1000",
                "endTimeUnixNano": "2000",
                "attributes": [
                    {"key": "instance", "value": {"stringValue": "order-7"}},
                    {"key": "turn", "value": {"intValue": "3"}},
                ],
                "status": {"code": 2, "message": "declined"},
            }],
        }],
    }]});
    assert_eq!(seen, [expected]);
}

#[tokio::test]
async fn what_a_collector_can_not_take_now_is_sent_again_and_what_it_refuses_is_not() {
    let sink = Sink::default();
    *sink.answers.lock().unwrap() = vec![StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE];
    let settings = sink.clone().start().await;
    let (tracer, exporter) = Tracer::new(&settings, "client-api", "api-1", "orders");
    let exporting = tokio::spawn(exporter.run(std::future::pending()));
    tracer.send(span(1));
    sink.wait_for(2).await;
    tracer.send(span(2));
    let seen: Vec<_> = sink.wait_for(3).await.iter().map(ids).collect();
    exporting.abort();
    let (one, two) = (json!("0000000000000001"), json!("0000000000000002"));
    assert_eq!(seen, [vec![one.clone()], vec![one], vec![two]], "the second answer was: never");
}

#[tokio::test]
async fn what_waits_when_the_process_ends_is_sent_before() {
    let sink = Sink::default();
    let settings = sink.clone().start().await;
    let (tracer, exporter) = Tracer::new(&settings, "activity-worker", "worker-1", "orders");
    let (stop, stopped) = oneshot::channel::<()>();
    for id in 1..=1_000 {
        tracer.send(span(id));
    }
    drop(stop);
    exporter.run(async { drop(stopped.await) }).await;
    let seen: Vec<_> = sink.wait_for(2).await.iter().flat_map(ids).collect();
    assert_eq!(seen.len(), 1_000);
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_is_away() {
    let settings = TelemetrySettings { otlp_endpoint: "http://127.0.0.1:1".into(), ..TelemetrySettings::default() };
    let (tracer, exporter) = Tracer::new(&settings, "client-api", "api-1", "orders");
    for id in 1..=2 * WAITING_MAX as u64 {
        tracer.send(span(id));
    }
    let ended = timeout(Duration::from_secs(20), exporter.run(std::future::ready(()))).await;
    assert!(ended.is_ok(), "the end of the process waits two seconds for it, no longer");
}

#[test]
fn without_a_collector_nothing_is_kept() {
    let (tracer, _) = Tracer::new(&TelemetrySettings::default(), "client-api", "api-1", "orders");
    assert!(!tracer.is_on());
    tracer.send(span(1));
}

#[test]
fn an_endpoint_is_a_plain_url() {
    let url =
        |text: &str| TelemetrySettings { otlp_endpoint: text.into(), ..TelemetrySettings::default() }.traces_url();
    assert_eq!(url("http://collector:4318").unwrap().to_string(), "http://collector:4318/v1/traces");
    assert_eq!(url("http://collector/otlp/").unwrap().to_string(), "http://collector/otlp/v1/traces");
    for wrong in ["", "collector:4318", "https://collector", "http://"] {
        assert_eq!(url(wrong), None, "{wrong}");
    }
}
