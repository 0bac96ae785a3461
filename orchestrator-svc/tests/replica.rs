//! A whole replica on the memory broker and SQLite: what the shell adds to the owner's rules.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{collections::BTreeSet, num::NonZeroU16, time::Duration};

use orchestrator_svc::{Hung, Replica, replica};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use warren::{Activity, Context, Failure, Orchestrator, Registry};
use warren_broker::{
    Acker, Address, Broker, Consumer, HeaderValue, Message, Publication, Published, Publisher, QueueKind, QueueSpec,
    Topology, codec, decode_work_item, memory::Memory,
};
use warren_model::{ConditionKind, InstanceId, PartitionCount, Payload, Status};
use warren_service::{Settings, health::Health};
use warren_store::{Filter, HubSpec, Queries, Store, sqlite::Sqlite};

const DOUBLE: Activity<i64, i64> = Activity::new("double");
const TWICE: Orchestrator<i64, i64> = Orchestrator::new("twice");
const DEADLINE: Duration = Duration::from_secs(20);

/// Does not return if its number is negative.
const STUBBORN: Orchestrator<i64, i64> = Orchestrator::new("stubborn");

async fn stubborn(_: Context, n: i64) -> Result<i64, Failure> {
    if n < 0 {
        loop {
            std::thread::park();
        }
    }
    Ok(n)
}

async fn twice(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.call(DOUBLE, n).await?;
    ctx.call(DOUBLE, n).await
}

type Running = JoinHandle<Result<(), Hung>>;

struct Fleet {
    broker: Memory,
    settings: Settings,
    folder: tempfile::TempDir,
    worker: JoinHandle<()>,
}

impl Fleet {
    async fn new() -> Self {
        let broker = Memory::new(Topology::new("t").unwrap());
        for (name, kind) in [("t.work.double", QueueKind::Work), ("t.ingress", QueueKind::Ingress)] {
            broker.declare(&QueueSpec { name: name.into(), kind }).await.unwrap();
        }
        let mut settings = Settings::default();
        settings.hub.name = "t".into();
        let worker = tokio::spawn(work(broker.clone()));
        Self { broker, settings, folder: tempfile::tempdir().unwrap(), worker }
    }

    fn store(&self) -> Sqlite {
        let spec = HubSpec { name: "t".into(), partitions: PartitionCount(NonZeroU16::new(3).unwrap()) };
        Sqlite::open(&self.folder.path().join("t.db"), &spec).unwrap()
    }

    async fn replica(&self) -> Replica<Sqlite, Memory> {
        let registry = Registry::new().orchestrator(TWICE, twice).orchestrator(STUBBORN, stubborn);
        let health = Health::new(&["broker", "store"]);
        replica(&self.settings, registry, self.store(), self.broker.clone(), health).await.unwrap()
    }

    /// Runs a replica until the sender is used or dropped.
    async fn run(&self) -> (oneshot::Sender<()>, Running) {
        let replica = self.replica().await;
        let (stop, stopped) = oneshot::channel();
        (stop, tokio::spawn(replica.run(async move { drop(stopped.await) })))
    }

    async fn start(&self, numbers: std::ops::Range<i64>) {
        let publisher = self.broker.publisher().await.unwrap();
        let batch = numbers.map(|n| start("twice", n, "client")).collect();
        let results = publisher.publish(batch).await;
        assert!(results.iter().all(|result| *result == Published::Confirmed), "{results:?}");
    }

    /// Waits until this many instances have ended, and returns how they did.
    async fn ended(&self, count: usize) -> Vec<Status> {
        let store = self.store();
        let wait = async {
            loop {
                let page = store.list(&Filter { top: 1_000, ..Filter::default() }).await.unwrap();
                let ended: Vec<Status> = page.instances.iter().map(|i| i.status).filter(|s| s.is_terminal()).collect();
                if ended.len() >= count {
                    return ended;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, wait).await.expect("every instance ends in time")
    }

    /// Waits until owners have so many partitions each, from the fewest to the most.
    async fn shares(&self, expected: &[usize]) {
        let store = self.store();
        let shares = async || {
            let mut counts = std::collections::BTreeMap::new();
            for lease in Store::survey(&store).await.unwrap().leases {
                *counts.entry(lease.owner?).or_insert(0) += 1;
            }
            let mut counts: Vec<usize> = counts.into_values().collect();
            counts.sort_unstable();
            Some(counts)
        };
        let wait = async {
            while shares().await.as_deref() != Some(expected) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("the shares are {expected:?} in time"));
    }

    /// The outcomes that clients were told, as (correlation id, body).
    fn told(&self) -> Vec<(String, String)> {
        let told = self.broker.ready("client").into_iter();
        told.map(|m| (m.correlation_id.unwrap().to_string(), String::from_utf8(m.body.to_vec()).unwrap())).collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

fn start(orchestrator: &str, n: i64, reply_to: &str) -> Publication {
    let message = Message {
        correlation_id: Some(n.to_string().into()),
        message_id: Some(format!("m{n}").into()),
        reply_to: Some(reply_to.into()),
        headers: [("instance-id", HeaderValue::Text(format!("i{n}").into()))].into(),
        body: n.to_string().into(),
        ..Message::default()
    };
    Publication {
        to: Address::Exchange { exchange: "t.ingress".into(), key: format!("start.{orchestrator}").into() },
        mandatory: true,
        packs: false,
        message,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_partitions_and_one_that_drains_hands_over_without_a_lapse() {
    let mut fleet = Fleet::new().await;
    fleet.settings.orchestrator.lease_seconds = 30; // longer than the deadline: nothing lapses
    let (stop, running) = fleet.run().await;
    fleet.shares(&[3]).await;
    let (_other_stop, _other_running) = fleet.run().await;
    fleet.shares(&[1, 2]).await;
    fleet.start(0..50).await;
    drop(stop);
    timeout(DEADLINE, running).await.expect("the replica drains").unwrap().unwrap();
    fleet.shares(&[3]).await;
    assert!(fleet.ended(50).await.iter().all(|status| *status == Status::Completed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h18_an_instance_whose_turn_does_not_return_ends_two_replicas_and_is_then_quarantined() {
    let mut fleet = Fleet::new().await;
    fleet.settings.orchestrator.turn_limit_seconds = 1;
    let publisher = fleet.broker.publisher().await.unwrap();
    publisher.publish(vec![start("stubborn", -1, "client"), start("stubborn", 1, "client")]).await;
    for _ in 0..2 {
        let (_stop, running) = fleet.run().await;
        let hung = timeout(DEADLINE, running).await.expect("the replica ends by itself").unwrap().unwrap_err();
        assert!(hung.to_string().contains("instance i-1 (orchestrator stubborn)"), "{hung}");
        // Its process ends, and what is left of it with it: the turn, and the channels on the thread of that.
        fleet.broker.break_connections();
    }
    let (stop, running) = fleet.run().await;
    fleet.start(10..20).await;
    fleet.ended(11).await;
    let store = fleet.store();
    let view = store.instance(&InstanceId::new("i-1").unwrap()).await.unwrap().expect("it is there");
    let condition = view.record.condition.expect("it is parked");
    assert_eq!(condition.kind, ConditionKind::Quarantined);
    assert!(condition.message.contains("did not return within 1 s"), "{}", condition.message);
    drop(stop);
    timeout(DEADLINE, running).await.expect("the replica drains").unwrap().unwrap();
}

/// Doubles numbers for as long as it is polled, over broken connections too.
async fn work(broker: Memory) {
    loop {
        let (Ok(mut consumer), Ok(publisher)) = (broker.consume("t.work.double", 50).await, broker.publisher().await)
        else {
            tokio::task::yield_now().await;
            continue;
        };
        while let Some(deliveries) = consumer.next(50).await {
            let reply = |delivery| {
                let item = decode_work_item(delivery).unwrap();
                let number: i64 = item.input.parse().unwrap();
                codec::reply(&item, &Ok(Payload::of(&(2 * number)).unwrap()), "w")
            };
            publisher.publish(deliveries.iter().map(reply).collect()).await;
            consumer.acker().ack(deliveries.last().unwrap().tag, true).await.unwrap();
        }
    }
}

/// Starts 300 instances, does something to the fleet meanwhile, and checks that each ends once.
async fn check<F: Future<Output = (oneshot::Sender<()>, Running)>>(trouble: impl Fn(&'static Fleet) -> F) {
    let fleet: &'static Fleet = Box::leak(Box::new(Fleet::new().await));
    fleet.broker.declare(&QueueSpec { name: "client".into(), kind: QueueKind::Dead }).await.unwrap();
    let first = fleet.run().await;
    fleet.start(0..150).await;
    fleet.ended(20).await;
    drop(first.0);
    let (stop, running) = trouble(fleet).await;
    fleet.start(150..300).await;
    assert!(fleet.ended(300).await.iter().all(|status| *status == Status::Completed));
    drop(stop);
    timeout(DEADLINE, running).await.expect("the replica drains").unwrap().unwrap();
    let told: BTreeSet<(String, String)> = fleet.told().into_iter().collect();
    let expect: BTreeSet<(String, String)> = (0..300_i64).map(|n| (n.to_string(), (n * 4).to_string())).collect();
    assert_eq!(told, expect, "each is told its own outcome and no other");
    assert!(
        Store::survey(&fleet.store()).await.unwrap().leases.iter().all(|lease| lease.owner.is_none()),
        "leases are given back"
    );
    fleet.worker.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_replica_is_followed_by_another() {
    check(|fleet| fleet.run()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h6_connections_that_break_again_and_again_lose_nothing() {
    check(|fleet| async {
        let running = fleet.run().await;
        for count in [40, 80, 120] {
            fleet.ended(count).await;
            fleet.broker.break_connections();
        }
        running
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2_a_replica_that_is_gone_without_a_word_is_followed_after_its_lease() {
    check(|fleet| async {
        let (_stop, running) = fleet.run().await;
        fleet.ended(40).await;
        running.abort();
        fleet.run().await
    })
    .await;
}
