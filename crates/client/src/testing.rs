//! A hub whose owner is a script, for tests of what is built on the client (feature `testing`).

use std::{
    collections::BTreeMap,
    num::NonZeroU16,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use uuid::Uuid;
use warren_broker::{
    Acker, Broker, Codec, Consumer, Envelope, Heartbeat, Inbound, Publication, Published, Publisher, RedispatchOrder,
    Topology,
    memory::{Memory, MemoryPublisher},
    packing::Packing,
};
use warren_model::{
    Answer, AnswerTo, Condition, ExecutionId, InstanceId, InstanceRecord, MessageId, Outcome, Outgoing, Partition,
    PartitionCount, Payload, Redispatched, Refusal, Status, Timestamp, TurnRecord,
};
use warren_store::{
    Epoch, Error, Filter, Hub, InstanceView, Lease, Page, PayloadRow, Payloads, Queries, Result, Standing, Survey,
    TaskNote,
};

/// How long a test waits for what must happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// Returns the name of the test's hub as queues have it.
pub fn topology() -> Topology {
    Topology::new("test").expect("the name is good")
}

/// Returns the hub's partition count.
pub fn partitions() -> PartitionCount {
    PartitionCount(NonZeroU16::new(2).expect("two is not zero"))
}

/// The owner of every partition: takes commands and answers as the test says.
#[derive(Debug)]
pub struct ScriptedOwner {
    codec: Codec,
    publisher: MemoryPublisher,
    commands: mpsc::Receiver<Envelope>,
    orders: mpsc::Receiver<RedispatchOrder>,
    heartbeats: mpsc::Receiver<Heartbeat>,
    _consumers: JoinSet<()>,
}

impl ScriptedOwner {
    /// Declares the control queues and consumes them.
    pub async fn start(broker: &Memory) -> Self {
        let codec = Codec::new(topology(), partitions(), [7; 16]);
        let (sender, commands) = mpsc::channel(100);
        let (to_orders, orders) = mpsc::channel(100);
        let (to_heartbeats, heartbeats) = mpsc::channel(100);
        let mut consumers = JoinSet::new();
        for partition in partitions().all() {
            let queue = topology().control(partition);
            broker.declare(&queue).await.expect("the memory broker is up");
            let told = (sender.clone(), to_orders.clone(), to_heartbeats.clone());
            consumers.spawn(consume(Packing::new(broker.clone(), topology()), codec.clone(), queue.name, told));
        }
        let publisher = broker.publisher().await.expect("the memory broker is up");
        Self { codec, publisher, commands, orders, heartbeats, _consumers: consumers }
    }

    /// Goes on with new connections, as an owner does after a loss.
    pub async fn reconnect(&mut self, broker: &Memory) {
        self.publisher = broker.publisher().await.expect("the memory broker is up");
    }

    /// Waits for the next command.
    ///
    /// # Panics
    /// If none comes.
    pub async fn next(&mut self) -> Envelope {
        let next = timeout(DEADLINE, self.commands.recv()).await.expect("a command comes before the deadline");
        next.expect("the consumers live as long as the owner")
    }

    /// Waits for the next command and accepts it.
    pub async fn accept_next(&mut self, status: Status) -> Envelope {
        let command = self.next().await;
        self.accept(&command, status).await;
        command
    }

    /// Returns a command that has come already.
    pub fn try_next(&mut self) -> Option<Envelope> {
        self.commands.try_recv().ok()
    }

    /// Waits for the next order to send open work again.
    ///
    /// # Panics
    /// If none comes.
    pub async fn next_order(&mut self) -> RedispatchOrder {
        let next = timeout(DEADLINE, self.orders.recv()).await.expect("an order comes before the deadline");
        next.expect("the consumers live as long as the owner")
    }

    /// Returns an order that has come already.
    pub fn try_next_order(&mut self) -> Option<RedispatchOrder> {
        self.orders.try_recv().ok()
    }

    /// Waits for the next heartbeat, and answers whether somebody waits for the task.
    ///
    /// # Panics
    /// If none comes.
    pub async fn hear_next(&mut self, is_awaited: bool) -> Heartbeat {
        let next = timeout(DEADLINE, self.heartbeats.recv()).await.expect("a heartbeat comes before the deadline");
        let heartbeat = next.expect("the consumers live as long as the owner");
        let to = heartbeat.answer_to.as_ref().expect("the client wants an answer to every heartbeat");
        let word = if is_awaited { self.codec.held(to, heartbeat.id.as_ref()) } else { self.codec.cancel(to) };
        self.publish(word).await;
        heartbeat
    }

    /// Answers that open work was sent again.
    pub async fn redispatched(&self, order: &RedispatchOrder, redispatched: &Redispatched) {
        let to = order.answer_to.as_ref().expect("the client wants an answer to every order");
        self.publish(self.codec.redispatched(to, redispatched)).await;
    }

    /// Answers that the command is committed, and the instance stands so.
    pub async fn accept(&self, command: &Envelope, status: Status) {
        self.answer(command, Ok(answer(&command.instance, status))).await;
    }

    /// Answers the command.
    pub async fn answer(&self, command: &Envelope, answer: Result<Answer, Refusal>) {
        self.publish(self.codec.answer(to(command), &answer)).await;
    }

    /// Answers that the instance has ended.
    pub async fn end(&self, command: &Envelope, status: Status, outcome: Outcome) {
        let outcome = Outgoing::Outcome {
            to: to(command).clone(),
            instance: command.instance.clone(),
            execution: EXECUTION,
            status,
            outcome,
        };
        self.publish(self.codec.outgoing(&outcome, Partition(0), None).expect("an outcome has a message")).await;
    }

    /// Publishes anything.
    pub async fn publish(&self, publication: Publication) {
        let published = self.publisher.publish(vec![publication]).await;
        assert_eq!(published, [Published::Confirmed], "the owner's connection is not broken");
    }
}

/// Where commands, orders and heartbeats go.
type Told = (mpsc::Sender<Envelope>, mpsc::Sender<RedispatchOrder>, mpsc::Sender<Heartbeat>);

async fn consume(broker: Packing<Memory>, codec: Codec, queue: String, (commands, orders, heartbeats): Told) {
    loop {
        let Ok(mut consumer) = broker.consume(&queue, 100).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while let Some(deliveries) = consumer.next(100).await {
            for delivery in deliveries {
                let inbound = codec.decode_control(&delivery).expect("the client's commands are well-formed");
                let is_heard = match inbound {
                    Inbound::Command(envelope) => commands.send(envelope).await.is_ok(),
                    Inbound::Redispatch(order) => orders.send(order).await.is_ok(),
                    Inbound::Heartbeat(heartbeat) => heartbeats.send(heartbeat).await.is_ok(),
                    Inbound::Reply { .. }
                    | Inbound::HandBack(_)
                    | Inbound::Begin(_)
                    | Inbound::Partition { .. }
                    | Inbound::Taken { .. } => panic!("no client sends this: {inbound:?}"),
                };
                if !is_heard {
                    return;
                }
                consumer.acker().ack(delivery.tag, false).await.expect("the memory broker takes every ack");
            }
        }
    }
}

fn to(command: &Envelope) -> &AnswerTo {
    command.answer_to.as_ref().expect("the client wants an answer to every command")
}

const EXECUTION: ExecutionId = ExecutionId::from_u128(0xe);

/// Returns an answer.
pub fn answer(instance: &InstanceId, status: Status) -> Answer {
    Answer { instance: instance.clone(), execution: EXECUTION, status, warning: None }
}

/// A store in memory that a test writes to. Clones are the same store.
#[derive(Clone, Debug)]
pub struct MemoryQueries {
    hub: Hub,
    rows: Arc<Mutex<Rows>>,
}

type PayloadsById = BTreeMap<(Partition, Uuid), Arc<[u8]>>;

#[derive(Debug, Default)]
struct Rows {
    away: Option<String>,
    instances: BTreeMap<InstanceId, (InstanceView, Vec<TurnRecord>)>,
    payloads: PayloadsById,
    quarantined: Vec<TaskNote>,
}

impl Default for MemoryQueries {
    fn default() -> Self {
        let hub = Hub { name: topology().hub().into(), partitions: partitions(), secret: [7; 16] };
        Self { hub, rows: Arc::default() }
    }
}

impl MemoryQueries {
    /// Makes every read fail with this reason, or work again.
    pub fn set_away(&self, why: Option<&str>) {
        self.rows().away = why.map(ToOwned::to_owned);
    }

    /// Inserts or replaces an instance with its history.
    pub fn put(&self, view: InstanceView, turns: Vec<TurnRecord>) {
        self.rows().instances.insert(view.record.id.clone(), (view, turns));
    }

    /// Quarantines a task.
    pub fn quarantine(&self, task: TaskNote) {
        self.rows().quarantined.push(task);
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<std::sync::MutexGuard<'_, Rows>> {
        let rows = self.rows();
        match &rows.away {
            Some(why) => Err(Error::Unavailable(why.clone())),
            None => Ok(rows),
        }
    }
}

/// Returns an instance of orchestrator `order` that was created at second `created` of 2025.
pub fn view(id: &str, status: Status, created: i64) -> InstanceView {
    let at = Timestamp::from_second(1_735_689_600 + created).expect("the year 2025 is a time");
    let record = InstanceRecord {
        id: InstanceId::new(id).expect("the test's id is good"),
        execution: EXECUTION,
        name: "order".into(),
        version: None,
        status,
        condition: None::<Condition>,
        turn: 1,
        created_at: at,
        updated_at: at,
        custom_status: None,
        parent: None,
        answer_to: None,
        start_id: MessageId::new("start").expect("the id is good"),
        tags: BTreeMap::new(),
        history_events: 0,
        history_bytes: 0,
    };
    InstanceView { record, input: Some(Payload::null()), outcome: None }
}

impl Queries for MemoryQueries {
    fn hub(&self) -> &Hub {
        &self.hub
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceView>> {
        Ok(self.read()?.instances.get(id).map(|(view, _)| view.clone()))
    }

    async fn history(&self, id: &InstanceId, from: u32, limit: usize) -> Result<Vec<TurnRecord>> {
        let rows = self.read()?;
        let turns = rows.instances.get(id).map_or(&[][..], |(_, turns)| turns);
        Ok(turns.iter().skip(from as usize).take(limit).cloned().collect())
    }

    async fn list(&self, filter: &Filter) -> Result<Page> {
        let rows = self.read()?;
        let mut found: Vec<InstanceRecord> = rows.instances.values().map(|(view, _)| view.record.clone()).collect();
        found.retain(|record| matches(filter, record));
        found.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        let begin = match &filter.after {
            None => 0,
            Some(after) => {
                let at = found.iter().position(|record| record.id.as_str() == after);
                1 + at.ok_or_else(|| Error::Refused(format!("page token {after:?}")))?
            }
        };
        let mut instances: Vec<_> = found.into_iter().skip(begin).collect();
        let top = if filter.top == 0 { 100 } else { filter.top };
        let has_more = instances.len() > top;
        instances.truncate(top);
        let next = instances.last().filter(|_| has_more).map(|last| last.id.to_string());
        Ok(Page { instances, next })
    }

    async fn counts(&self) -> Result<Vec<(Status, u64)>> {
        let rows = self.read()?;
        let count = |status| rows.instances.values().filter(|(view, _)| view.record.status == status).count();
        Ok(Status::ALL.map(|status| (status, count(status) as u64)).into())
    }

    async fn quarantined(&self, instance: Option<&InstanceId>, most: usize) -> Result<Vec<TaskNote>> {
        let rows = self.read()?;
        let wanted = rows.quarantined.iter().filter(|task| instance.is_none_or(|id| task.instance == *id));
        Ok(wanted.take(most).cloned().collect())
    }

    async fn survey(&self) -> Result<Survey> {
        drop(self.read()?);
        let lease = |partition| Lease { partition, owner: Some("owner-1".into()), epoch: Epoch(1), counter: 7 };
        let standing = Standing { replica: "owner-1".into(), counter: 7 };
        Ok(Survey {
            leases: partitions().all().map(lease).collect(),
            replicas: vec![standing],
            now: Timestamp::UNIX_EPOCH,
        })
    }
}

impl Payloads for MemoryQueries {
    async fn keep_payload(&self, row: PayloadRow) -> Result<()> {
        self.read()?.payloads.entry((row.partition, row.id)).or_insert(row.body);
        Ok(())
    }

    async fn payload(&self, partition: Partition, id: Uuid) -> Result<Option<Arc<[u8]>>> {
        Ok(self.read()?.payloads.get(&(partition, id)).cloned())
    }

    async fn can_write(&self) -> Result<()> {
        self.read().map(drop)
    }

    async fn drop_payloads(&self, partition: Partition, ids: Vec<Uuid>) -> Result<()> {
        let mut rows = self.read()?;
        ids.into_iter().for_each(|id| drop(rows.payloads.remove(&(partition, id))));
        Ok(())
    }
}

fn matches(filter: &Filter, record: &InstanceRecord) -> bool {
    filter.prefix.as_ref().is_none_or(|prefix| record.id.as_str().starts_with(prefix.as_str()))
        && (filter.statuses.is_empty() || filter.statuses.contains(&record.status))
        && filter.name.as_ref().is_none_or(|name| record.name == *name)
        && filter.created_from.is_none_or(|from| record.created_at >= from)
        && filter.created_to.is_none_or(|to| record.created_at < to)
}
