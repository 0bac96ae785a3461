//! Large payloads through whole fleets: by the payload store between components of ours, inline to others.
//!
//! The broker's limit is set to 1 MiB here, and our own AMQP backend refuses what is larger: whatever gets through a fleet
//! although it is larger did not travel in a message.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::collections::BTreeMap;

use end_to_end::{Amqp, Database, Inside, eventually, sql};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use warren::{Activity, ActivityContext, Context, Event, Failure, Orchestrator, Registry};
use warren_client::{Client, Options};
use warren_model::{InstanceId, MessageId, Payload, Status};
use warren_store::{postgres::PostgresReader, sqlite::SqliteReader};

const MIB: usize = 1 << 20;
const MIRROR: Activity<String, String> = Activity::new("greet");
const GO: Event<String> = Event::new("go");

/// Has a worker give back what it is given.
async fn mirror(ctx: Context, text: String) -> Result<String, Failure> {
    ctx.call(MIRROR, text).await
}

/// Sends what it is given through everything that carries a payload: an event, a child and its result, a task and its
/// result, and continue-as-new.
async fn tour(ctx: Context, (round, text): (u32, String)) -> Result<String, Failure> {
    let raised = ctx.event(GO).await?;
    assert_eq!(raised.len(), text.len());
    let text = ctx.orchestrator(Orchestrator::<String, String>::new("mirror")).call(text).await?;
    if round == 0 {
        return Ok(text);
    }
    ctx.continue_as_new((round - 1, text))
}

async fn give_back(_: ActivityContext, text: String) -> Result<String, Failure> {
    Ok(text)
}

fn registry() -> Registry {
    Registry::new()
        .orchestrator(Orchestrator::new("mirror"), mirror)
        .orchestrator(Orchestrator::new("tour"), tour)
        .activity(MIRROR, give_back)
}

/// JSON of so many bytes, and not all the same.
fn json(bytes: usize) -> String {
    let line = "The quick brown fox jumps over the lazy dog 0123456789. ";
    let mut text: String = line.chars().cycle().take(bytes - 2).collect();
    text.insert(0, '"');
    text + "\""
}

fn inside(database: Database, megabytes: u32) -> Inside {
    let mut inside = Inside::new(database, registry()).with_payloads(megabytes);
    inside.settings.broker.message_megabytes_max = 1;
    inside
}

/// Starts `mirror`; asks again when told to, as a new hub and a debug build on a busy machine take their time.
async fn start(inside: &Inside, instance: &str, input: &str) {
    let (http, path) = (inside.http(), format!("/orchestrators/mirror/{instance}"));
    eventually(&format!("{instance} is accepted"), || async {
        let reply = http.post(&path, &[("idempotency-key", instance)], input.into()).await.unwrap();
        assert!([202, 503, 504].contains(&reply.status.as_u16()), "{}", reply.text());
        reply.status == 202
    })
    .await;
}

async fn ended(inside: &Inside, instance: &str) -> Value {
    let (http, path) = (inside.http(), format!("/instances/{instance}/wait?timeout=60&showInput=false"));
    let mut reply = http.get(&path).await.unwrap();
    if reply.status == 202 {
        reply = http.get(&path).await.unwrap();
    }
    assert_eq!(reply.status, 200, "{instance} ends in time: {}", reply.text());
    reply.json().unwrap()
}

async fn payloads(inside: &Inside) -> i64 {
    if inside.settings.store.url.as_str().starts_with("sqlite") {
        let file = rusqlite::Connection::open(inside.folder().join("hub.db")).unwrap();
        return file.query_row("SELECT count(*) FROM payload", [], |row| row.get(0)).unwrap();
    }
    let sql = sql(inside.settings.store.url.as_str(), &inside.settings.hub.name).await;
    sql.query_one("SELECT count(*) FROM payload", &[]).await.unwrap().get(0)
}

async fn mebibytes(database: Database, mebibytes: usize) {
    let mut inside = inside(database, 65);
    inside.start().await;
    let input = json(mebibytes * MIB);
    start(&inside, "large", &input).await;
    let status = ended(&inside, "large").await;
    assert_eq!(status["runtimeStatus"], "Completed", "{}", status["failure"]);
    assert_eq!(status["output"].as_str().unwrap().len() + 2, input.len());
    assert!(input.contains(&status["output"].as_str().unwrap()[..MIB]));
    eventually("every payload is taken over and dropped", || async { payloads(&inside).await == 0 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_mebibytes_go_through_a_fleet_on_postgresql() {
    mebibytes(Database::Postgres, 64).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_any_message_holds_goes_through_a_fleet_on_sqlite() {
    mebibytes(Database::Sqlite, 24).await;
}

/// Children, events, continue-as-new, and the Rust client: whatever carries a payload carries a large one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_carries_a_payload_carries_a_large_one() {
    for database in [Database::Postgres, Database::Sqlite] {
        let mut inside = inside(database, 8);
        inside.start().await;
        let input: Value = serde_json::from_str(&json(3 * MIB)).unwrap();
        let id = InstanceId::new("tour").unwrap();
        let (hub, url) = (inside.settings.hub.name.clone(), inside.settings.store.url.clone());
        let topology = warren_service::hub::topology(&inside.settings).unwrap();
        let amqp = warren_service::hub::amqp(&inside.settings, "test").unwrap();
        let options = Options { payload_bytes_max: inside.settings.hub.payload_bytes_max(), ..Options::default() };
        match database {
            Database::Sqlite => {
                let reader = SqliteReader::open(&inside.folder().join("hub.db"), &hub).unwrap();
                take_the_tour(&Client::connect(amqp, reader, topology, options).unwrap(), &id, &input).await;
            }
            Database::Postgres => {
                let reader = PostgresReader::open(url.as_str(), &hub).await.unwrap();
                take_the_tour(&Client::connect(amqp, reader, topology, options).unwrap(), &id, &input).await;
            }
        }
        eventually("every payload is dropped", || async { payloads(&inside).await == 0 }).await;
    }
}

async fn take_the_tour<Q: warren_store::Queries>(client: &Client<Q>, id: &InstanceId, input: &Value) {
    let (first, message) = (Payload::of(&(1, input)).unwrap(), MessageId::new("tour").unwrap());
    let start = || client.start("tour", first.clone()).id(id.clone()).message(message.clone()).send();
    eventually("the start is accepted", || async { start().await.is_ok() }).await;
    for _ in 0..2 {
        client.raise(id, "go", Payload::of(input).unwrap()).send().await.unwrap();
    }
    let ended = client.wait(id, std::time::Duration::from_secs(60)).await.unwrap().expect("it ends in time");
    assert_eq!(ended.status, Status::Completed, "{:?}", ended.outcome.err());
    assert!(ended.outcome.unwrap().parse::<Value>().unwrap() == *input);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_the_store_gets_bodies_inline_up_to_the_broker_s_limit() {
    let mut inside = inside(Database::Sqlite, 8);
    inside.settings.payloads.queues.clear();
    inside.orchestrator().await;
    inside.api().await;
    let amqp = Amqp::connect().await;
    let queue = format!("{}.work.greet", inside.settings.hub.name);
    start(&inside, "fits", &json(MIB)).await;
    eventually("the work item is out", || async { amqp.count(&queue).await == 1 }).await;
    let item = amqp.get(&queue).await;
    assert_eq!(item.data.len(), MIB, "the whole body, and nothing else");
    assert!(item.properties.headers().as_ref().unwrap().inner().keys().all(|name| name.as_str() != "claim"));
    // A foreign worker answers inline, whatever the size: no limit of ours is on its side.
    let properties = BasicProperties::default().with_correlation_id(item.properties.correlation_id().clone().unwrap());
    amqp.publish("", item.properties.reply_to().as_ref().unwrap().as_str(), &item.data, properties).await;
    assert_eq!(ended(&inside, "fits").await["runtimeStatus"], "Completed");

    start(&inside, "too-large", &json(MIB + 1)).await;
    let status = ended(&inside, "too-large").await;
    assert_eq!(status["failure"]["code"], "payload_too_large", "{status}");
    assert!(status["failure"]["message"].as_str().unwrap().contains("payloads.queues"), "{status}");
    assert_eq!(amqp.count(&queue).await, 0, "nothing was published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_somebody_deleted_fails_its_task_with_the_remedy() {
    let mut inside = inside(Database::Sqlite, 8);
    inside.orchestrator().await;
    inside.api().await;
    start(&inside, "gone", &json(2 * MIB)).await;
    // The start's is taken over, that of the work item waits with it.
    let amqp = Amqp::connect().await;
    let queue = format!("{}.work.greet", inside.settings.hub.name);
    eventually("the work item is out", || async { amqp.count(&queue).await == 1 }).await;
    eventually("the start's payload is dropped", || async { payloads(&inside).await == 1 }).await;
    let file = rusqlite::Connection::open(inside.folder().join("hub.db")).unwrap();
    assert_eq!(file.execute("DELETE FROM payload", []).unwrap(), 1);
    inside.worker();
    let status = ended(&inside, "gone").await;
    assert_eq!(status["failure"]["code"], "payload_missing", "{status}");
    assert!(status["failure"]["message"].as_str().unwrap().contains("payloads.store"), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_makes_no_sense_is_moved_to_the_dead_queue() {
    let mut inside = inside(Database::Sqlite, 8);
    inside.start().await;
    let (amqp, hub) = (Amqp::connect().await, inside.settings.hub.name.clone());
    // `x` lives in partition 1; once it has been seen, its control queue is consumed.
    start(&inside, "x", "\"small\"").await;
    let headers: BTreeMap<&str, &str> =
        [("claim", "somewhere"), ("instance-id", "x"), ("orchestrator", "mirror")].into();
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    let properties = BasicProperties::default().with_headers(table).with_type("start".into());
    amqp.publish("", &format!("{hub}.control.01"), b"", properties.with_message_id("m".into())).await;
    let dead = amqp.get(&format!("{hub}.dead")).await;
    let headers = dead.properties.headers().clone().unwrap();
    let reason = headers.inner()["warren-reason"].as_long_string().unwrap().to_string();
    assert!(reason.contains("`claim`") && reason.contains("somewhere"), "{reason}");
}
