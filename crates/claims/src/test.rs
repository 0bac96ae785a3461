//! On the memory broker, with payloads in a SQLite file as other processes write them.

use std::{collections::BTreeMap, num::NonZeroU16, time::Duration};

use tokio::time::timeout;
use warren_broker::{
    Acker, Address, Bodies, Broker, Codec, Consumer, Envelope, Inbound, Message, Publication, Published, Publisher,
    Topology, decode_work_item, memory::Memory,
};
use warren_model::{
    ActionId, AnswerWhen, Command, ExecutionId, IfExists, InstanceId, MessageId, Outgoing, Partition, PartitionCount,
    Payload, StartRequest, TaskScheduled,
};
use warren_store::{
    HubSpec, Payloads,
    sqlite::{Sqlite, SqlitePayloads},
};

use crate::{Claiming, held::BYTES_MAX};

const INLINE: usize = 1_000;
const P0: Partition = Partition(0);
const CONTROL: &str = "h.control.00";

/// A hub of one partition; the workers of queue `resize` take claims.
struct World {
    folder: tempfile::TempDir,
    memory: Memory,
    broker: Claiming<Memory, SqlitePayloads>,
    payloads: SqlitePayloads,
    codec: Codec,
}

fn topology() -> Topology {
    let claim_queues = ["resize".to_owned()].into();
    Topology::new("h").unwrap().with_bodies(Bodies { bytes_max: 1 << 20, inline_bytes_max: INLINE, claim_queues })
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let partitions = PartitionCount(NonZeroU16::MIN);
        drop(Sqlite::open(&folder.path().join("hub.db"), &HubSpec { name: "h".into(), partitions }).unwrap());
        let payloads = SqlitePayloads::new(folder.path().join("hub.db"), "h");
        let memory = Memory::new(topology());
        memory.declare(&topology().control(P0)).await.unwrap();
        memory.declare(&topology().work("resize").unwrap()).await.unwrap();
        let broker = Claiming::new(memory.clone(), payloads.clone(), topology());
        Self { folder, memory, broker, payloads, codec: Codec::new(topology(), partitions, [7; 16]) }
    }

    async fn publish(&self, batch: Vec<Publication>) -> Vec<Published> {
        self.broker.publisher().await.unwrap().publish(batch).await
    }

    /// How many payloads are kept.
    fn kept(&self) -> i64 {
        let sql = rusqlite_count(&self.folder.path().join("hub.db"));
        sql.unwrap()
    }

    async fn until_kept(&self, count: i64) {
        let wait = async {
            while self.kept() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), wait)
            .await
            .unwrap_or_else(|_| panic!("{} payloads, not {count}", self.kept()));
    }

    fn start(&self, id: &str, input: &Payload) -> Publication {
        let request = StartRequest {
            name: "order".into(),
            version: None,
            input: input.clone(),
            tags: BTreeMap::new(),
            traceparent: None,
            if_exists: IfExists::Fail,
        };
        self.codec.command(&Envelope {
            id: MessageId::new(id).unwrap(),
            instance: InstanceId::new(id).unwrap(),
            command: Command::Start(request),
            answer_to: None,
            when: AnswerWhen::Accepted,
            is_fresh: false,
        })
    }

    fn task(&self, queue: &str, input: &Payload) -> Publication {
        let task = TaskScheduled::new(ActionId(2), "resize", input.clone());
        let task = TaskScheduled { queue: Some(queue.into()), ..task };
        let (instance, execution) = (InstanceId::new("order-1").unwrap(), ExecutionId::from_u128(5));
        let outgoing = Outgoing::WorkItem { instance, execution, task, traceparent: None };
        self.codec.outgoing(&outgoing, P0, None).unwrap()
    }
}

fn rusqlite_count(path: &std::path::Path) -> rusqlite::Result<i64> {
    rusqlite::Connection::open(path)?.query_row("SELECT count(*) FROM payload", [], |row| row.get(0))
}

fn json(bytes: usize) -> Payload {
    Payload::of(&"x".repeat(bytes - 2)).unwrap()
}

/// The inputs of the starts that arrive next.
async fn inputs<C: Consumer>(world: &World, consumer: &mut C) -> Vec<Payload> {
    let deliveries = timeout(Duration::from_secs(10), consumer.next(100)).await.unwrap().unwrap();
    let decode = |delivery| world.codec.decode_control(delivery).unwrap();
    let input = |inbound| {
        let Inbound::Command(Envelope { command: Command::Start(start), .. }) = inbound else { panic!("{inbound:?}") };
        start.input
    };
    deliveries.iter().map(decode).map(input).collect()
}

#[tokio::test]
async fn what_is_large_lies_in_the_store_until_its_message_is_acknowledged() {
    let world = World::new().await;
    let batch = [("a", 10), ("b", 5_000), ("c", 20)].map(|(id, bytes)| world.start(id, &json(bytes)));
    assert_eq!(world.publish(batch.into()).await, vec![Published::Confirmed; 3]);
    assert_eq!(world.kept(), 1);
    let sizes: Vec<usize> = world.memory.ready(CONTROL).iter().map(|message| message.body.len()).collect();
    assert_eq!(sizes, [10, 0, 20], "no message is large");

    let mut consumer = world.broker.consume(CONTROL, 10).await.unwrap();
    let mut arrived = Vec::new();
    while arrived.len() < 3 {
        arrived.extend(inputs(&world, &mut consumer).await);
    }
    assert_eq!(arrived, [json(10), json(5_000), json(20)], "whole, and in order");
    consumer.acker().ack(1, false).await.unwrap();
    assert_eq!(world.kept(), 1);
    consumer.acker().ack(3, true).await.unwrap();
    world.until_kept(0).await;
}

/// H5, H6: the broker may deliver again, and a publisher may publish again.
#[tokio::test]
async fn h6_a_duplicate_finds_the_payload_as_long_as_nobody_has_acknowledged() {
    let world = World::new().await;
    let start = world.start("a", &json(5_000));
    world.publish(vec![start.clone(), start]).await;
    assert_eq!(world.kept(), 1, "the same message has the same payload");
    let mut first = world.broker.consume(CONTROL, 10).await.unwrap();
    assert_eq!(inputs(&world, &mut first).await, [json(5_000)]);
    world.memory.break_consumers(CONTROL);
    drop(first);
    let mut second = world.broker.consume(CONTROL, 10).await.unwrap();
    assert_eq!(inputs(&world, &mut second).await, [json(5_000)]);
    second.acker().ack(1, false).await.unwrap();
    world.until_kept(0).await;
    // Its copy says that the payload is gone; the owner knows it for a duplicate before that matters.
    let late = timeout(Duration::from_secs(10), second.next(10)).await.unwrap().unwrap();
    if world.codec.missing(&late[0]).is_none() {
        assert_eq!(late[0].message.body.len(), 5_000, "it was fetched before the first was acknowledged");
    }
}

#[tokio::test]
async fn a_work_item_s_payload_stays_until_its_reply_is_acknowledged() {
    let world = World::new().await;
    world.publish(vec![world.task("resize", &json(5_000))]).await;
    let mut worker = world.broker.consume("h.work.resize", 10).await.unwrap();
    let items = timeout(Duration::from_secs(10), worker.next(10)).await.unwrap().unwrap();
    let work = decode_work_item(&items[0]).unwrap();
    assert_eq!(work.input, json(5_000));
    world.publish(vec![warren_broker::codec::reply(&work, &Ok(json(6_000)), "w")]).await;
    worker.acker().ack(1, false).await.unwrap();
    assert_eq!(world.kept(), 2, "the item's and the reply's");
    let mut owner = world.broker.consume(CONTROL, 10).await.unwrap();
    let replies = timeout(Duration::from_secs(10), owner.next(10)).await.unwrap().unwrap();
    let Inbound::Reply { ended, .. } = world.codec.decode_control(&replies[0]).unwrap() else { panic!("{replies:?}") };
    assert_eq!(ended.outcome, Ok(json(6_000)));
    assert_eq!(world.kept(), 2);
    owner.acker().ack(1, true).await.unwrap();
    world.until_kept(0).await;
}

#[tokio::test]
async fn workers_without_the_store_get_it_inline() {
    let world = World::new().await;
    world.memory.declare(&topology().work("foreign").unwrap()).await.unwrap();
    world.publish(vec![world.task("foreign", &json(5_000))]).await;
    let message = &world.memory.ready("h.work.foreign")[0];
    assert_eq!((message.body.len(), message.headers.contains_key("claim")), (5_000, false));
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn a_payload_that_is_gone_leaves_its_claim() {
    let world = World::new().await;
    world.publish(vec![world.task("resize", &json(5_000)), world.start("a", &json(5_000))]).await;
    let sql = rusqlite::Connection::open(world.folder.path().join("hub.db")).unwrap();
    assert_eq!(sql.execute("DELETE FROM payload", []).unwrap(), 2);
    let mut worker = world.broker.consume("h.work.resize", 10).await.unwrap();
    let items = timeout(Duration::from_secs(10), worker.next(10)).await.unwrap().unwrap();
    assert!(decode_work_item(&items[0]).unwrap().missing.unwrap().contains("not in the payload store"));
    let mut owner = world.broker.consume(CONTROL, 10).await.unwrap();
    let starts = timeout(Duration::from_secs(10), owner.next(10)).await.unwrap().unwrap();
    assert!(world.codec.missing(&starts[0]).is_some());
}

/// A crash between the two: the payload waits for its message, and is no trouble when that is published again.
#[tokio::test]
async fn h6_a_message_that_was_not_published_keeps_its_payload_for_the_next_try() {
    let world = World::new().await;
    world.memory.set_refusing(Some("full"));
    let start = world.start("a", &json(5_000));
    assert_eq!(world.publish(vec![start.clone()]).await, [Published::Refused("full".into())]);
    assert_eq!(world.kept(), 1);
    world.memory.set_refusing(None);
    assert_eq!(world.publish(vec![start]).await, [Published::Confirmed]);
    assert_eq!(world.kept(), 1);
}

#[tokio::test]
async fn without_the_store_what_is_large_is_refused_and_the_rest_goes() {
    let world = World::new().await;
    let away = SqlitePayloads::new("/nowhere/hub.db", "h");
    let broker = Claiming::new(world.memory.clone(), away, topology());
    let batch = [("a", 10), ("b", 5_000), ("c", 20)].map(|(id, bytes)| world.start(id, &json(bytes)));
    let fates = broker.publisher().await.unwrap().publish(batch.into()).await;
    let [Published::Confirmed, Published::Refused(why), Published::Confirmed] = &fates[..] else { panic!("{fates:?}") };
    assert!(why.contains("can't be kept"), "{why}");
    assert_eq!(world.memory.ready(CONTROL).len(), 2);
}

#[tokio::test]
async fn what_is_fetched_is_bounded_until_it_is_acknowledged() {
    let held = crate::held::Held::new();
    held.room(BYTES_MAX * 2).await; // a single one may be larger
    held.add(1, BYTES_MAX - 10, Vec::new());
    held.room(10).await;
    held.add(2, 10, Vec::new());
    assert!(timeout(Duration::from_millis(20), held.room(1)).await.is_err());
    assert!(held.release(1, true).is_empty());
    held.room(BYTES_MAX - 10).await;
}

#[tokio::test]
async fn a_caller_that_stops_to_wait_loses_nothing() {
    let world = World::new().await;
    world.publish(vec![world.start("a", &json(5_000)), world.start("b", &json(6_000))]).await;
    let mut consumer = world.broker.consume(CONTROL, 10).await.unwrap();
    let mut arrived = Vec::new();
    while arrived.len() < 2 {
        // Polled once and dropped, as in a `select!` whose other branch is ready.
        tokio::select! {
            biased;
            next = consumer.next(10) => arrived.extend(next.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(arrived.iter().map(|delivery| delivery.message.body.len()).collect::<Vec<_>>(), [5_000, 6_000]);
}

#[tokio::test]
async fn other_systems_refer_to_nothing() {
    let world = World::new().await;
    world.memory.declare(&topology().ingress_queue()).await.unwrap();
    let mut message = Message { body: b""[..].into(), reply_to: Some(CONTROL.into()), ..Message::default() };
    message.headers.insert("claim", warren_broker::HeaderValue::Text(format!("{}:5", uuid::Uuid::nil()).into()));
    let to = Address::Queue("h.ingress".into());
    world
        .memory
        .publisher()
        .await
        .unwrap()
        .publish(vec![Publication { to, mandatory: true, packs: false, message }])
        .await;
    let mut ingress = world.broker.consume("h.ingress", 10).await.unwrap();
    let arrived = timeout(Duration::from_secs(10), ingress.next(10)).await.unwrap().unwrap();
    assert!(arrived[0].message.headers.contains_key("claim"), "the codec refuses it");
    assert_eq!(world.payloads.payload(P0, uuid::Uuid::nil()).await.unwrap(), None);
}
