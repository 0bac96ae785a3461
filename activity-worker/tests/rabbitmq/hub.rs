//! A hub of a test's own on a real broker.

use std::{
    num::NonZeroU16,
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use serde_json::Value;
use uuid::Uuid;
use warren_broker::{
    Acker, Broker, Codec, Consumer, Message, Published, Publisher, Topology,
    amqp::{Amqp, AmqpConfig},
    packing::{Packing, PackingConsumer},
};
use warren_model::{ActionId, ExecutionId, InstanceId, Outgoing, Partition, PartitionCount, Payload, TaskScheduled};
use warren_service::Settings;
use warren_testing::amqp_url;

/// Far more than any condition takes; only a failing test waits so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(10);

const PARTITION: Partition = Partition(0);

/// A hub with a name that no other test has.
pub(crate) struct Hub {
    topology: Topology,
    broker: Packing<Amqp>,
    hand: Connection,
    replies: PackingConsumer<Amqp>,
}

impl Hub {
    /// Opens a hub; its control queue is consumed as an owner would.
    pub(crate) async fn open() -> Self {
        Self::with([]).await
    }

    /// Opens a hub whose work items share messages.
    pub(crate) async fn packed() -> Self {
        Self::with(["*".to_owned()]).await
    }

    async fn with(packed_queues: impl IntoIterator<Item = String>) -> Self {
        let topology = Topology::new(&format!("test-{}", Uuid::new_v4().simple())).unwrap();
        let topology = topology.with_packed_queues(packed_queues.into_iter().collect());
        let broker =
            Amqp::connect_lazily(AmqpConfig::new(amqp_url(), "activity-worker tests", topology.clone())).unwrap();
        let broker = Packing::new(broker, topology.clone());
        let hand = Connection::connect(amqp_url(), ConnectionProperties::default()).await.expect("the broker answers");
        let control = topology.control(PARTITION);
        broker.declare(&control).await.unwrap();
        let replies = broker.consume(&control.name, 100).await.unwrap();
        Self { topology, broker, hand, replies }
    }

    pub(crate) fn name(&self) -> &str {
        self.topology.hub()
    }

    /// Returns settings of a worker for this hub.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.hub.name = self.name().into();
        settings.broker.url = amqp_url().into();
        settings
    }

    /// Publishes tasks of an activity, one per input; returns their tokens.
    pub(crate) async fn schedule(&self, activity: &str, inputs: impl IntoIterator<Item = Value>) -> Vec<String> {
        self.broker.declare(&self.topology.work(activity).unwrap()).await.unwrap();
        let codec = Codec::new(self.topology.clone(), PartitionCount(NonZeroU16::MIN), [7; 16]);
        let execution = ExecutionId::from_u128(Uuid::new_v4().as_u128());
        let work = |(at, input): (usize, Value)| {
            let id = ActionId(u32::try_from(at).unwrap() + 1);
            let input = Payload::of(&input).unwrap();
            let task = TaskScheduled::new(id, activity, input);
            let instance = InstanceId::new("order-7").unwrap();
            let outgoing = Outgoing::WorkItem { instance, execution, task, traceparent: None };
            codec.outgoing(&outgoing, PARTITION, None).unwrap()
        };
        let work: Vec<_> = inputs.into_iter().enumerate().map(work).collect();
        let tokens = work.iter().map(|work| work.message.correlation_id.clone().unwrap().to_string()).collect();
        let count = work.len();
        let fates = self.broker.publisher().await.unwrap().publish(work).await;
        assert_eq!(fates, vec![Published::Confirmed; count]);
        tokens
    }

    /// Waits for this many replies and acknowledges them; returns them in order of their token.
    pub(crate) async fn replies(&mut self, count: usize) -> Vec<Message> {
        let mut replies = Vec::new();
        while replies.len() < count {
            let next = tokio::time::timeout(DEADLINE, self.replies.next(count)).await.expect("replies arrive");
            let deliveries = next.expect("the channel lives");
            self.replies.acker().ack(deliveries.last().expect("never empty").tag, true).await.unwrap();
            let messages = deliveries.into_iter().map(|delivery| delivery.message);
            replies.extend(messages.filter(|message| message.kind.as_deref() != Some("heartbeat")));
        }
        replies.sort_by(|a, b| a.correlation_id.cmp(&b.correlation_id));
        replies
    }

    /// Waits until a work-item queue has so many messages that nobody holds.
    pub(crate) async fn left(&self, activity: &str, count: u32) {
        let queue = self.topology.work(activity).unwrap().name;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
            let channel = self.hand.create_channel().await.unwrap();
            let ready = channel.queue_declare(queue.as_str().into(), passive, FieldTable::default()).await.unwrap();
            if ready.message_count() == count {
                return;
            }
            assert!(Instant::now() < deadline, "{queue} has {} messages, not {count}", ready.message_count());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Takes the first message of a work-item queue, as any AMQP client would.
    pub(crate) async fn take_by_hand(&self, activity: &str) -> BasicProperties {
        let queue = self.topology.work(activity).unwrap().name;
        let channel = self.hand.create_channel().await.unwrap();
        let taken = channel.basic_get(queue.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap();
        taken.expect("a message is there").delivery.properties
    }

    /// Deletes the queues, those of these activities included.
    pub(crate) async fn close(self, activities: &[&str]) {
        let work = activities.iter().map(|name| self.topology.work(name).unwrap());
        let channel = self.hand.create_channel().await.unwrap();
        for queue in work.chain([self.topology.control(PARTITION), self.topology.dead()]) {
            channel.queue_delete(queue.name.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
}
