//! What an operator does to a hub, and what befalls its broker and its database: nothing is lost, and nothing done twice.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use client_api::http_client::Reply;
use end_to_end::{Amqp, Database, Fleet, Inside, eventually, orders, sql};
use serde_json::{Value, json};
use warren::{Activity, ActivityContext, Context, Event, Failure, Orchestrator, Registry};

const GREET: Activity<String, String> = Activity::new("greet");
const GO: Event<String> = Event::new("go");

/// Waits for an event and has a worker say it again.
async fn wait_and_greet(ctx: Context, _: String) -> Result<String, Failure> {
    let name = ctx.event(GO).await?;
    ctx.call(GREET, name).await
}

fn registry() -> Registry {
    async fn greet(_: ActivityContext, name: String) -> Result<String, Failure> {
        Ok(format!("hello {name}"))
    }
    Registry::new().orchestrator(Orchestrator::new("wait_and_greet"), wait_and_greet).activity(GREET, greet)
}

/// The queues of the order example.
const QUEUES: [&str; 6] =
    ["reserve_stock", "release_stock", "calculate_tax", "charge_payment", "refund_payment", "ship_parcel"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h6_a_work_queue_that_is_purged_under_load_is_redispatched_and_every_order_ends_exactly_once() {
    let mut fleet = Fleet::start(&["orchestrator", "api"]).await;
    let amqp = Amqp::connect().await;
    let entries = orders::first(160);
    let mut purged = 0;
    for (number, entry) in entries.iter().enumerate() {
        orders::send(&fleet, entry).await;
        if number == 60 {
            fleet.spawn("worker-1", &[("worker.concurrency", "2")]); // until now everything waits
        }
        if number % 20 == 19 {
            for queue in QUEUES {
                purged += amqp.purge(&format!("{}.work.{queue}", fleet.hub)).await;
            }
        }
    }
    assert!(purged > 20, "there is load: {purged}");
    let reply = fleet.post("/hub/redispatch", "").await;
    let sent: Value = reply.json().unwrap();
    assert!(reply.status == 200 && sent["tasks"].as_u64().unwrap() > 0, "{}", reply.text());
    // Once more, while everything goes on: it does no harm.
    assert_eq!(fleet.post("/hub/redispatch?queue=charge_payment", "").await.status, 200);
    for entry in &entries {
        orders::check(&fleet, entry).await;
    }
}

async fn delete(fleet: &Fleet, path: &str) -> Reply {
    fleet.http("api").delete(&format!("/api/v1{path}")).await.unwrap()
}

async fn start(fleet: &Fleet, path: &str, key: &str) -> Reply {
    let path = format!("/api/v1/orchestrators/hello/{path}");
    fleet.http("api").post(&path, &[("idempotency-key", key)], "\"you\"".into()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h12_a_purged_instance_is_gone_its_start_begins_nothing_and_its_id_may_be_used_again() {
    let mut fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    assert_eq!(start(&fleet, "one", "k1").await.status, 202);
    assert_eq!(fleet.wait("one").await["runtimeStatus"], "Completed");
    let reply = delete(&fleet, "/instances/one").await;
    assert_eq!(reply.json::<Value>().unwrap(), json!({"instancesDeleted": 1}), "{}", reply.text());
    assert_eq!(fleet.get("/instances/one").await.status, 404);
    assert_eq!(delete(&fleet, "/instances/one").await.status, 404);
    // The same start, whose sender did not hear the first answer; also after a crash.
    fleet.process_mut("orchestrator").kill();
    fleet.spawn("orchestrator", &[]);
    fleet.ready("orchestrator").await;
    let reply = start(&fleet, "one", "k1").await;
    assert_eq!(reply.status, 410, "{}", reply.text());
    assert!(reply.text().contains("was started by this message, is Completed and was purged"), "{}", reply.text());
    assert_eq!(fleet.get("/instances/one").await.status, 404);
    // Another start of the id, then one that replaces what it began, then one that does not.
    assert_eq!(start(&fleet, "one", "k2").await.status, 202);
    let first = fleet.wait("one").await["executionId"].clone();
    assert_eq!(start(&fleet, "one", "k3").await.status, 409);
    assert_eq!(start(&fleet, "one?ifExists=replace-ended", "k4").await.status, 202);
    let second = fleet.wait("one").await["executionId"].clone();
    assert_ne!(first, second);
    assert_eq!(start(&fleet, "one?ifExists=use-existing", "k5").await.status, 202);
    assert_eq!(start(&fleet, "one?ifExists=replace-ended", "k2").await.status, 410, "that one was carried out");
    assert_eq!(fleet.wait("one").await["executionId"], second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_instances_are_purged_by_a_filter_and_those_that_run_stay() {
    let fleet = Fleet::start(&["orchestrator", "worker-1", "api"]).await;
    for n in 0..30 {
        assert_eq!(start(&fleet, &format!("done-{n}"), &format!("k{n}")).await.status, 202);
    }
    fleet.post("/orchestrators/nosuch/waits", "1").await;
    for n in 0..30 {
        fleet.wait(&format!("done-{n}")).await;
    }
    let reply = delete(&fleet, "/instances/waits").await;
    assert_eq!(reply.status, 409, "{}", reply.text());
    assert!(reply.text().contains("instance waits is Pending: terminate it first, then purge it"), "{}", reply.text());
    let reply = delete(&fleet, "/instances?createdTimeFrom=2025-01-01&top=7").await;
    let expected = json!({"instancesDeleted": 30, "isComplete": true});
    assert_eq!(reply.json::<Value>().unwrap(), expected, "{}", reply.text());
    let left: Value = fleet.get("/instances").await.json().unwrap();
    assert_eq!(left.as_array().unwrap().len(), 1);
    // Turns follow their rows.
    let file = rusqlite::Connection::open(fleet.database()).unwrap();
    let count = || file.query_row("SELECT count(*) FROM history", [], |row| row.get::<_, i64>(0)).unwrap();
    eventually("the histories are gone", || async { count() == 0 }).await;
}

/// Starts an instance that waits for an event, and waits until it does.
async fn waiting(inside: &Inside, id: &str) {
    let http = inside.http();
    eventually(&format!("{id} is accepted"), || async {
        let path = format!("/orchestrators/wait_and_greet/{id}");
        http.post(&path, &[("idempotency-key", id)], "\"\"".into()).await.unwrap().status == 202
    })
    .await;
    eventually(&format!("{id} runs"), || async { status(inside, id).await["runtimeStatus"] == "Running" }).await;
}

async fn status(inside: &Inside, id: &str) -> Value {
    inside.http().get(&format!("/instances/{id}")).await.unwrap().json().unwrap()
}

async fn go(inside: &Inside, id: &str) {
    let path = format!("/instances/{id}/raiseEvent/go");
    assert_eq!(inside.http().post(&path, &[], "\"you\"".into()).await.unwrap().status, 202);
}

async fn ends(inside: &Inside, id: &str) {
    eventually(&format!("{id} ends"), || async { status(inside, id).await["runtimeStatus"] == "Completed" }).await;
    assert_eq!(status(inside, id).await["output"], "hello you");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_in_one_database_and_on_one_broker_do_not_meet() {
    let (mut one, mut other) =
        (Inside::new(Database::Postgres, registry()), Inside::new(Database::Postgres, registry()));
    one.start().await;
    other.start().await;
    for inside in [&one, &other] {
        waiting(inside, "same").await;
    }
    go(&one, "same").await;
    ends(&one, "same").await;
    assert_eq!(status(&other, "same").await["runtimeStatus"], "Running");
    assert_eq!(one.http().delete("/instances/same").await.unwrap().status, 200);
    go(&other, "same").await;
    ends(&other, "same").await;
    assert_eq!(one.http().get("/instances/same").await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_row_that_is_damaged_parks_its_instance_alone_until_somebody_has_mended_it() {
    let mut inside = Inside::new(Database::Postgres, registry());
    inside.start().await;
    for id in ["hurt", "whole"] {
        waiting(&inside, id).await;
    }
    // Nothing is in memory when the row is damaged.
    inside.stop("orchestrator").await;
    let sql = sql(inside.settings.store.url.as_str(), &inside.settings.hub.name).await;
    let body: String = sql.query_one("SELECT body FROM history WHERE instance = 'hurt'", &[]).await.unwrap().get(0);
    sql.execute("UPDATE history SET body = 'scratched' WHERE instance = 'hurt'", &[]).await.unwrap();
    inside.orchestrator().await;
    for id in ["hurt", "whole"] {
        eventually(&format!("{id} gets its event"), || async {
            let path = format!("/instances/{id}/raiseEvent/go");
            let key = format!("go-{id}");
            let reply = inside.http().post(&path, &[("idempotency-key", &key)], "\"you\"".into()).await.unwrap();
            reply.status == 202
        })
        .await;
    }
    ends(&inside, "whole").await;
    // Its status can't be shown, as its input is in that row; the list shows what is wrong with it.
    let list: Value = inside.http().get("/instances?instanceIdPrefix=hurt").await.unwrap().json().unwrap();
    let condition = &list[0]["condition"];
    let message = condition["message"].as_str().unwrap();
    assert_eq!(condition["kind"], "corrupt");
    assert!(message.contains("instance hurt") && message.contains("mend or restore the row"), "{message}");
    sql.execute("UPDATE history SET body = $1 WHERE instance = 'hurt'", &[&body]).await.unwrap();
    assert_eq!(inside.http().post("/instances/hurt/resume", &[], vec![]).await.unwrap().status, 202);
    ends(&inside, "hurt").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_count_that_differs_from_the_hub_s_is_refused_with_both() {
    let mut inside = Inside::new(Database::Postgres, registry());
    inside.start().await;
    inside.stop("orchestrator").await;
    let mut settings = inside.settings.clone();
    settings.hub.partitions = 7;
    let error = orchestrator_svc::run(&settings, registry(), std::future::pending()).await.unwrap_err().to_string();
    assert!(error.contains('7') && error.contains('4') && error.contains(&settings.hub.name), "{error}");
}
