//! Workers that answer as none should: twice, late, with what is no JSON, with a hundred megabytes.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::num::NonZeroU16;

use end_to_end::{Amqp, Fleet, eventually};
use lapin::{BasicProperties, types::ShortString};
use serde_json::Value;
use warren_model::{InstanceId, PartitionCount};

/// What a work item says of where its answer goes.
struct Item {
    reply_to: ShortString,
    token: ShortString,
}

/// Starts an instance of one activity.
async fn begin(fleet: &Fleet, id: &str) {
    let path = format!("/orchestrators/volume/{id}");
    assert_eq!(fleet.post(&path, r#"{"length": 2, "width": 3, "height": 4}"#).await.status, 202);
}

/// Takes the next work item, as a worker that acknowledges before it answers.
async fn take(fleet: &Fleet, amqp: &Amqp) -> Item {
    let queue = format!("{}.work.compute_volume", fleet.hub);
    eventually("a work item", || async { amqp.count(&queue).await > 0 }).await;
    let message = amqp.get(&queue).await;
    let properties = &message.properties;
    let part = |part: &Option<ShortString>| part.clone().unwrap();
    Item { reply_to: part(properties.reply_to()), token: part(properties.correlation_id()) }
}

fn result(item: &Item) -> BasicProperties {
    let properties = BasicProperties::default().with_type("result".into()).with_correlation_id(item.token.clone());
    properties.with_delivery_mode(2)
}

async fn answer(amqp: &Amqp, item: &Item, body: &[u8]) -> lapin::Result<()> {
    amqp.publish_confirmed(item.reply_to.as_str(), body, result(item)).await
}

/// Answers the next work item, waits for its instance's end, and returns that.
async fn answered(fleet: &Fleet, amqp: &Amqp, id: &str, body: &[u8]) -> Value {
    begin(fleet, id).await;
    answer(amqp, &take(fleet, amqp).await, body).await.unwrap();
    fleet.wait(id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h8_the_first_answer_counts_and_those_that_come_twice_or_late_do_not() {
    let (fleet, amqp) = (Fleet::start(&["orchestrator", "api"]).await, Amqp::connect().await);
    begin(&fleet, "box-1").await;
    let item = take(&fleet, &amqp).await;
    for body in [r#"{"litres": 1.0}"#, r#"{"litres": 2.0}"#] {
        answer(&amqp, &item, body.as_bytes()).await.unwrap();
    }
    let ended = fleet.wait("box-1").await;
    assert_eq!((&ended["runtimeStatus"], &ended["output"]["litres"]), (&"Completed".into(), &1.0.into()), "{ended}");
    let history = fleet.history("box-1").await;
    answer(&amqp, &item, br#"{"litres": 3.0}"#).await.unwrap();
    // What comes after it through the same queue has been handled: so has it.
    let partition = |id: &str| PartitionCount(NonZeroU16::new(4).unwrap()).of(&InstanceId::new(id).unwrap());
    let id = (2..).map(|number| format!("box-{number}")).find(|id| partition(id) == partition("box-1")).unwrap();
    let next = answered(&fleet, &amqp, &id, br#"{"litres": 4.0}"#).await;
    assert_eq!(next["output"]["litres"], 4.0, "{next}");
    assert_eq!(fleet.history("box-1").await, history);
    assert_eq!(amqp.count(&format!("{}.dead", fleet.hub)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_json_or_has_a_hundred_megabytes_fails_its_task_alone() {
    let (fleet, amqp) = (Fleet::start(&["orchestrator", "api"]).await, Amqp::connect().await);
    let failed = answered(&fleet, &amqp, "box-1", b"{litres: 1.0").await;
    assert_eq!(failed["runtimeStatus"], "Failed", "{failed}");
    assert!(failed.to_string().contains("invalid_result"), "{failed}");

    begin(&fleet, "box-2").await;
    let item = take(&fleet, &amqp).await;
    let large = |megabytes: usize| [b"\"", vec![b'7'; megabytes << 20].as_slice(), b"\""].concat();
    if answer(&amqp, &item, &large(100)).await.is_err() {
        // RabbitMQ 4 closes the channel of whoever sends more than 16 MiB.
        answer(&amqp, &item, &large(15)).await.unwrap();
    }
    let failed = fleet.wait("box-2").await;
    assert_eq!(failed["runtimeStatus"], "Failed", "{}", &failed.to_string()[..300]);
    let text = failed.to_string();
    assert!(text.len() < 10_000 && text.contains("payload_too_large"), "{}", &text[..text.len().min(300)]);

    let ended = answered(&fleet, &amqp, "box-3", br#"{"litres": 1.0}"#).await;
    assert_eq!(ended["runtimeStatus"], "Completed", "{ended}");
}
