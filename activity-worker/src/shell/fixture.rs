//! What the tests of the shell share: a worker on the memory broker, work items, and waiting with a deadline.

use std::{num::NonZeroU16, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use warren::Registry;
use warren_broker::{
    Broker, Codec, Message, Publication, Published, Publisher, Topology, memory::Memory, packing::Packing,
};
use warren_model::{
    ActionId, ExecutionId, Failure, InstanceId, Outgoing, Partition, PartitionCount, Payload, TaskScheduled,
};
use warren_service::{Settings, health::Health};

/// Far more than any condition takes; only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(20);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(2);

pub(super) const CONTROL: &str = "h.control.03";
pub(super) const DEAD: &str = "h.dead";

/// A worker that serves on the memory broker.
pub(super) struct Bench {
    pub(super) broker: Memory,
    pub(super) health: Health,
    stop: CancellationToken,
    served: JoinHandle<crate::Result<()>>,
}

/// Returns settings for hub `h` with this many slots.
pub(super) fn settings(concurrency: u16) -> Settings {
    let mut settings = Settings::default();
    settings.hub.name = "h".into();
    settings.worker.name = "worker-1".into();
    settings.worker.concurrency = concurrency;
    settings
}

/// Returns an empty broker, with the control queue of partition 3.
pub(super) async fn broker() -> Memory {
    let broker = Memory::new(topology());
    broker.declare(&topology().control(Partition(3))).await.unwrap();
    broker
}

/// Starts a worker.
pub(super) fn start(broker: &Memory, registry: Registry, settings: Settings) -> Bench {
    start_on(broker.clone(), broker, registry, settings)
}

/// Starts a worker whose replies travel in packs.
pub(super) fn start_packing(broker: &Memory, registry: Registry, settings: Settings) -> Bench {
    start_on(Packing::new(broker.clone(), topology()), broker, registry, settings)
}

fn start_on<B: Broker>(serving: B, broker: &Memory, registry: Registry, settings: Settings) -> Bench {
    let (stop, health) = (CancellationToken::new(), crate::health());
    let (stopped, shown, broker) = (stop.clone(), health.clone(), broker.clone());
    let served =
        tokio::spawn(
            async move { crate::run_with(serving, registry, &settings, &shown, stopped.cancelled_owned()).await },
        );
    Bench { broker, health, stop, served }
}

impl Bench {
    pub(super) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the worker has stopped.
    pub(super) async fn stopped(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.served).await.expect("it stops in time").unwrap().unwrap();
    }

    /// Waits for this many replies, and returns them.
    pub(super) async fn replies(&self, count: usize) -> Vec<Message> {
        until("replies", || self.broker.ready(CONTROL).len() >= count).await;
        self.broker.ready(CONTROL)
    }

    /// Waits until nothing of a queue is left, neither ready nor unacknowledged.
    pub(super) async fn emptied(&self, queue: &str) {
        until("an empty queue", || self.broker.ready(queue).is_empty() && self.broker.unacknowledged(queue) == 0).await;
    }
}

/// Waits for a condition.
pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(LOOK).await;
    }
}

fn topology() -> Topology {
    Topology::new("h").unwrap()
}

/// Returns task `number`, as the owner of partition 3 publishes it.
pub(super) fn work(activity: &str, queue: &str, number: u32) -> Publication {
    let task = TaskScheduled::new(ActionId(number), activity, Payload::of(&number).unwrap());
    let task = TaskScheduled { queue: Some(queue.into()), ..task };
    let (instance, execution) = (InstanceId::new("order-7").unwrap(), ExecutionId::from_u128(9));
    let outgoing = Outgoing::WorkItem { instance, execution, task, traceparent: None };
    let codec = Codec::new(topology(), PartitionCount(NonZeroU16::new(8).unwrap()), [7; 16]);
    codec.outgoing(&outgoing, Partition(3), None).unwrap()
}

/// Publishes work, to a queue that is made if it is missing.
pub(super) async fn publish(broker: &Memory, queue: &str, work: impl IntoIterator<Item = Publication>) {
    broker.declare(&topology().work(queue).unwrap()).await.unwrap();
    for publication in work {
        assert_eq!(send(broker, publication).await, Published::Confirmed);
    }
}

/// Publishes, whatever becomes of it.
pub(super) async fn send(broker: &Memory, publication: Publication) -> Published {
    broker.publisher().await.unwrap().publish(vec![publication]).await.remove(0)
}

/// Returns the failure that a reply carries.
pub(super) fn failure(reply: &Message) -> Failure {
    assert_eq!(reply.kind.as_deref(), Some("failure"));
    serde_json::from_slice(&reply.body).unwrap()
}
