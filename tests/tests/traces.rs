//! One trace from an HTTP start to its outcome, through every service, also when one of them dies on the way.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, routing::post};
use end_to_end::{Database, Fleet, Inside, eventually, orders};
use example_order::sample::Entry;
use serde_json::Value;
use tokio::net::TcpListener;
use warren::{Activity, ActivityContext, Context, Failure, Orchestrator, Registry};

/// A span, as a collector gets it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    service: String,
    json: Value,
}

impl Seen {
    fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap()
    }

    fn ns(&self, field: &str) -> u64 {
        self.text(field).parse().unwrap()
    }

    fn attribute(&self, key: &str) -> Option<&str> {
        let attributes = self.json["attributes"].as_array().unwrap();
        attributes.iter().find(|attribute| attribute["key"] == key)?["value"]["stringValue"].as_str()
    }
}

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Seen>>>);

impl Sink {
    /// Starts it; returns where it is.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        url
    }

    fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until the trace of one execution of this orchestrator is whole: it has ended, and so has every run.
    async fn whole(&self, orchestrator: &str) -> Vec<Seen> {
        eventually("the trace is whole", || async {
            let seen = self.seen();
            let number = |prefix: &str| seen.iter().filter(|span| span.text("name").starts_with(prefix)).count();
            let is_ended = number(&format!("orchestrator {orchestrator}")) == 1 && number("POST ") == 1;
            is_ended && number("activity ") > 0 && number("run ") >= number("activity ")
        })
        .await;
        self.seen()
    }
}

async fn take(State(sink): State<Sink>, Json(request): Json<Value>) {
    for resource in request["resourceSpans"].as_array().unwrap() {
        let service = &resource["resource"]["attributes"][0];
        assert_eq!(service["key"], "service.name");
        let service = service["value"]["stringValue"].as_str().unwrap();
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        let seen = spans.iter().map(|span| Seen { service: service.to_owned(), json: span.clone() });
        sink.0.lock().unwrap().extend(seen);
    }
}

/// Starts a fleet that tells a collector what it does.
async fn watched(names: &[&str], sink: &Sink) -> (Fleet, String) {
    let url = sink.start().await;
    let mut fleet = Fleet::empty();
    for name in names {
        fleet.spawn(name, &[("telemetry.otlp_endpoint", &url)]);
    }
    for name in names {
        fleet.ready(name).await;
    }
    (fleet, url)
}

/// It is one trace, with one root; every other span's parent is in it, and none comes twice.
fn check_tree(spans: &[Seen]) {
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.text("traceId")).collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    let mut by_id = BTreeMap::new();
    for span in spans {
        assert!(by_id.insert(span.text("spanId"), span).is_none(), "twice: {span:?}");
        assert!(span.ns("startTimeUnixNano") <= span.ns("endTimeUnixNano"), "{span:?}");
    }
    let roots: Vec<&str> =
        spans.iter().filter(|span| span.text("parentSpanId").is_empty()).map(|span| span.text("name")).collect();
    assert_eq!(roots, ["POST /orchestrators/{name}/{id}"]);
    for span in spans {
        let parent = span.text("parentSpanId");
        assert!(parent.is_empty() || by_id.contains_key(parent), "without its parent: {span:?}");
        let above = by_id.get(parent).map(|parent| parent.text("name").split(' ').next().unwrap());
        let expected = match span.text("name").split(' ').next().unwrap() {
            "POST" => None,
            "turn" | "activity" | "timer" | "child" => Some("orchestrator"),
            "orchestrator" if span.text("name") == "orchestrator child" => Some("child"),
            "orchestrator" => Some("POST"),
            "run" => Some("activity"),
            other => panic!("{other}"),
        };
        assert_eq!(above, expected, "{span:?}");
    }
}

/// Of what every order asks for, and how often.
fn count(spans: &[Seen], name: &str, service: &str) -> usize {
    spans.iter().filter(|span| span.text("name") == name && span.service == service).count()
}

fn entry(is_it: impl Fn(&Entry) -> bool) -> Entry {
    orders::first(600).into_iter().find(is_it).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_one_trace_through_all_services() {
    let sink = Sink::default();
    let (fleet, _) = watched(&["orchestrator", "worker-1", "api"], &sink).await;
    let order = entry(|entry| entry.expect == "completed" && entry.approve.is_none());
    orders::send(&fleet, &order).await;
    orders::check(&fleet, &order).await;
    let spans = sink.whole("order").await;
    check_tree(&spans);
    for activity in ["reserve_stock", "calculate_tax", "charge_payment", "ship_parcel"] {
        let of_owner = count(&spans, &format!("activity {activity}"), "orchestrator-svc");
        let of_worker = count(&spans, &format!("run {activity}"), "activity-worker");
        assert!(of_owner > 0 && of_owner == of_worker, "{activity}: {of_owner}, {of_worker}");
    }
    assert_eq!(count(&spans, "turn", "orchestrator-svc"), fleet.history(&order.id).await.len());
    let runs = spans.iter().filter(|span| span.service != "client-api");
    assert!(runs.clone().all(|span| span.attribute("warren.instance") == Some(&order.id)), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h4_a_trace_stays_one_and_whole_when_its_owner_is_killed() {
    let sink = Sink::default();
    let (mut fleet, url) = watched(&["orchestrator", "worker-1", "api"], &sink).await;
    let order = entry(|entry| entry.expect == "completed" && entry.approve == Some(true));
    let reply = fleet.post(&format!("/orchestrators/order/{}", order.id), order.order.as_str()).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    eventually("it waits for its approval, and all before it was shown", || async {
        let history = fleet.history(&order.id).await;
        let turns = count(&sink.seen(), "turn", "orchestrator-svc");
        let events = history.iter().flat_map(|turn| &turn.events);
        turns == history.len() && events.clone().any(|event| matches!(event, warren_model::Event::TimerCreated(_)))
    })
    .await;
    fleet.process_mut("orchestrator").kill();
    fleet.spawn("orchestrator", &[("telemetry.otlp_endpoint", &url)]);
    fleet.ready("orchestrator").await;
    let approval = serde_json::json!({"approved": true, "by": "test"}).to_string();
    let reply = fleet.post(&format!("/instances/{}/raiseEvent/approval", order.id), &approval).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    orders::check(&fleet, &order).await;
    let spans = sink.whole("order").await;
    check_tree(&spans);
    assert_eq!(count(&spans, "timer", "orchestrator-svc"), 1, "from before the kill until the approval after it");
}

const CHILD: Orchestrator<String, String> = Orchestrator::new("child");
const GREET: Activity<String, String> = Activity::new("greet");

async fn parent(ctx: Context, name: String) -> Result<String, Failure> {
    ctx.orchestrator(CHILD).call(name).await
}

async fn child(ctx: Context, name: String) -> Result<String, Failure> {
    ctx.call(GREET, name).await
}

async fn greet(_: ActivityContext, name: String) -> Result<String, Failure> {
    Ok(format!("hello {name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_orchestration_is_in_the_trace_of_its_parent() {
    let sink = Sink::default();
    let registry = Registry::new().orchestrator(Orchestrator::new("parent"), parent).orchestrator(CHILD, child);
    let mut inside = Inside::new(Database::Sqlite, registry.activity(GREET, greet));
    inside.settings.telemetry.otlp_endpoint = sink.start().await;
    inside.start().await;
    let reply = inside.http().post("/orchestrators/parent/p?timeout=60", &[], "\"you\"".into()).await.unwrap();
    assert_eq!((reply.status.as_u16(), &*reply.text()), (200, "\"hello you\""));
    let spans = sink.whole("parent").await;
    check_tree(&spans);
    for name in ["child child", "orchestrator child", "activity greet"] {
        assert_eq!(count(&spans, name, "orchestrator-svc"), 1, "{name}");
    }
    assert_eq!(count(&spans, "run greet", "activity-worker"), 1);
}
