//! Activities without code: a stock worker that serves what its settings name, and orchestrators that call it.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use end_to_end::{Amqp, Database, Fleet, Inside, amqp_url, postgres_url, repository};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use warren::{Activity, Context, Failure, Orchestrator, Registry};
use warren_service::{
    Settings,
    settings::{ActivitySettings, PublishSettings, SqlSettings},
};

/// Greets, but its first answer is that it has no time; returns where it is, and the keys that it was given.
async fn greeter() -> (u16, Arc<Mutex<Vec<String>>>) {
    let (keys, calls) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
    let told = keys.clone();
    let greet = move |headers: HeaderMap, Json(visit): Json<Value>| {
        told.lock().unwrap().push(headers["idempotency-key"].to_str().unwrap().to_owned());
        let is_busy = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            let text = |field: &str| visit[field].as_str().unwrap().to_owned();
            match is_busy {
                true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                false => Json(format!("{} was in {}", text("name"), text("city"))).into_response(),
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let greet = Arc::new(greet);
    let router = Router::new().route("/greetings", post(move |headers, visit| greet(headers, visit)));
    tokio::spawn(axum::serve(listener, router).into_future());
    (port, keys)
}

/// The settings of the example, and an activity that calls the greeter.
fn settings(port: u16) -> String {
    let example = std::fs::read_to_string(repository().join("examples/without_code/warren.toml")).unwrap();
    let greet = format!(
        "[activities.greet]\nkind = \"http\"\nurl = \"http://127.0.0.1:{port}/greetings\"\nprivate_hosts = [\"127.0.0.1\"]\n"
    );
    example + &greet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_worker_serves_what_its_settings_name() {
    let (port, keys) = greeter().await;
    let mut fleet = Fleet::start(&["orchestrator", "api"]).await;
    fleet.configure("worker-1", &settings(port));
    fleet.spawn("worker-1", &[]);
    fleet.ready("worker-1").await;

    let started = fleet.post("/orchestrators/volume/box", r#"{"length": 2, "width": 3, "height": 4}"#).await;
    assert_eq!(started.status, 202, "{}", started.text());
    assert_eq!(fleet.wait("box").await["output"], json!({"litres": 24000.0}));
    let failed = fleet.post("/orchestrators/volume/flat", r#"{"length": 2, "width": -3, "height": 4}"#).await;
    assert_eq!(failed.status, 202, "{}", failed.text());
    assert_eq!(fleet.wait("flat").await["failure"]["code"], "invalid_input", "`-3` looks like an option");

    // The chain has no retry policy: its first greeting fails, and says why.
    assert_eq!(fleet.post("/orchestrators/hello/busy", "\"Ada\"").await.status, 202);
    let failure = &fleet.wait("busy").await["failure"];
    assert_eq!((&failure["code"], &failure["details"]["status"]), (&json!("http_status"), &json!(503)), "{failure}");
    assert_eq!(fleet.post("/orchestrators/hello/free", "\"Ada\"").await.status, 202);
    let greetings = &fleet.wait("free").await["output"];
    assert_eq!(greetings[0], "Ada was in Lisbon", "{greetings}");

    let mut keys = keys.lock().unwrap().clone();
    let calls = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(calls, keys.len(), "each task has a key of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_activities_can_t_work_ends_by_name() {
    let mut fleet = Fleet::empty();
    fleet.configure("worker-1", "[activities.charge]\nkind = \"command\"\nprogram = \"/nowhere/charge\"\n");
    let worker = fleet.spawn("worker-1", &[]);
    assert!(!worker.ended().await.success());
    worker.says("serve activities.charge: its setting program = \"/nowhere/charge\"").await;
}

#[derive(Serialize, Deserialize)]
struct Receipt {
    id: i64,
    total: i64,
}

/// Writes a receipt and tells others of it.
async fn receive(ctx: Context, order: Value) -> Result<i64, Failure> {
    let written = ctx.call(Activity::<Value, Vec<Receipt>>::new("remember"), order.clone()).await?;
    ctx.call(Activity::<Value, ()>::new("announce"), json!({"kind": "paid", "customer": {"id": 7}, "order": order}))
        .await?;
    Ok(written[0].total)
}

/// The tables of docs/activities.md, in a program of one's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_one_s_own_serves_what_its_settings_name_too() {
    let name = format!("e2e_{}", uuid::Uuid::new_v4().simple());
    let (client, connection) = tokio_postgres::connect(postgres_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let columns = "id bigint GENERATED ALWAYS AS IDENTITY, key text UNIQUE, customer text, total bigint";
    client.batch_execute(&format!("CREATE TABLE {name} ({columns})")).await.unwrap();
    let amqp = Amqp::connect().await;
    let queue = amqp.bound_queue(&name, "order.*").await;

    let mut settings = Settings::default();
    settings.broker.url = amqp_url().into();
    let remember = SqlSettings {
        url: postgres_url().into(),
        statement: format!(
            "INSERT INTO {name} (key, customer, total) VALUES ($1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id, total"
        ),
        parameters: ["{idempotency_key}", "{/customer/name}", "{/total}"].map(String::from).into(),
        ..SqlSettings::default()
    };
    let announce = PublishSettings {
        exchange: name.clone(),
        routing_key: "order.{/kind}".into(),
        headers: vec!["x-customer: {/customer/id}".into()],
        body: "/order".into(),
        ..PublishSettings::default()
    };
    settings.activities.insert("remember".into(), ActivitySettings::Sql(remember));
    settings.activities.insert("announce".into(), ActivitySettings::Publish(announce));
    let registry = Registry::new().orchestrator(Orchestrator::new("receive"), receive);
    let registry = warren_activities::register(registry, &settings).unwrap();
    let mut inside = Inside::new(Database::Sqlite, registry);
    inside.start().await;

    let order = r#"{"customer": {"name": "Ada"}, "total": 42}"#;
    let http = inside.http();
    let reply = http.post("/orchestrators/receive/order-7?timeout=60", &[], order.into()).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "42"));
    let message = amqp.get(&queue).await;
    assert_eq!(
        (message.routing_key.as_str(), String::from_utf8_lossy(&message.data)),
        ("order.paid", json!({"customer": {"name": "Ada"}, "total": 42}).to_string().into())
    );
    let row = client.query_one(&format!("SELECT customer, total FROM {name}"), &[]).await.unwrap();
    assert_eq!((row.get::<_, String>(0), row.get::<_, i64>(1)), ("Ada".into(), 42));
    client.batch_execute(&format!("DROP TABLE {name}")).await.unwrap();
    amqp.delete_exchange(&name).await;
}
