//! A world for one owner: a shelf for a store, a queue for a broker, workers that answer at once, and crashes.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
};

use warren::Registry;
use warren_broker::{
    Address, Bodies, ClientReply, Codec, Delivery, Envelope, Message, Publication, Published, RedispatchOrder,
    Topology, codec::reply, decode_client_reply, decode_work_item,
};
use warren_model::{
    AnswerTo, AnswerWhen, Command, IfExists, InstanceId, InstanceRecord, MessageId, Outcome, Partition, PartitionCount,
    Payload, Redispatch, StartRequest, Timestamp,
};
use warren_service::traces::Span;
use warren_store::Epoch;

use super::{super::*, shelf::Shelf};

/// Few, so that tests meet the bound.
pub(crate) const EXPIRE_MAX: usize = 5;

pub(crate) fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_bytes(text.as_bytes()).unwrap()
}

pub(crate) struct World {
    me: Partition,
    pub(crate) shelf: Shelf,
    pub(crate) owner: Owner<Registry>,
    pub(crate) codec: Codec,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) second: i64,
    pub(crate) effects: VecDeque<Effect>,
    /// Messages that wait for the owner …
    pub(crate) queue: VecDeque<(Message, bool)>,
    /// … and those that it has not acknowledged.
    pub(crate) unacked: BTreeMap<u64, Message>,
    tag: u64,
    epoch: i64,
    /// Everything that was published, whatever became of it.
    pub(crate) published: Vec<Publication>,
    /// What whoever watches was shown.
    pub(crate) spans: Vec<Span>,
    /// Answers and outcomes, by correlation id.
    pub(crate) replies: Vec<(String, ClientReply)>,
    /// Whether workers answer what is published.
    pub(crate) has_workers: bool,
    /// What the broker says to the next groups of publications, before it says that all is well.
    pub(crate) broker_says: VecDeque<Published>,
    pub(crate) is_drained: bool,
    /// Whether a sender has vouched wrongly.
    is_misled: bool,
}

impl World {
    pub(crate) fn new(registry: Registry) -> Self {
        Self::with(registry, Settings::default())
    }

    pub(crate) fn with(registry: Registry, settings: Settings) -> Self {
        Self::of(registry, settings, Partition(0), PartitionCount(NonZeroU16::MIN))
    }

    /// One partition of several.
    pub(crate) fn of(registry: Registry, settings: Settings, me: Partition, partitions: PartitionCount) -> Self {
        Self::on(registry, settings, me, Codec::new(Topology::new("t").unwrap(), partitions, [7; 16]))
    }

    /// On a hub whose messages are bounded otherwise.
    pub(crate) fn bounded(registry: Registry, bodies: Bodies) -> Self {
        let topology = Topology::new("t").unwrap().with_bodies(bodies);
        let codec = Codec::new(topology, PartitionCount(NonZeroU16::MIN), [7; 16]);
        Self::on(registry, Settings::default(), Partition(0), codec)
    }

    fn on(registry: Registry, settings: Settings, me: Partition, codec: Codec) -> Self {
        let settings = Settings { overlap_min: 1, ..settings }; // as often as it ever happens
        let shelf = Shelf::default();
        let mut effects = Vec::new();
        let session = session(me, &codec, &shelf, 1);
        let owner = Owner::new(session, registry.clone(), settings, time(0), &mut effects);
        Self {
            me,
            shelf,
            owner,
            codec,
            registry,
            settings,
            second: 0,
            effects: effects.into(),
            queue: VecDeque::new(),
            unacked: BTreeMap::new(),
            tag: 0,
            epoch: 1,
            published: Vec::new(),
            spans: Vec::new(),
            replies: Vec::new(),
            has_workers: true,
            broker_says: VecDeque::new(),
            is_drained: false,
            is_misled: false,
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.owner.step(input, time(self.second), &mut effects);
        while self.owner.has_more() {
            self.owner.step(Input::Tick, time(self.second), &mut effects);
        }
        self.effects.extend(effects);
    }

    /// Loses the owner at this point; another begins from the shelf, with everything unacknowledged delivered again.
    pub(crate) fn crash(&mut self) {
        self.crash_with(self.registry.clone());
    }

    pub(crate) fn crash_with(&mut self, registry: Registry) {
        self.registry = registry;
        self.begin_session(true);
    }

    /// Ends the session, not the process: another begins from the shelf.
    pub(crate) fn end_session(&mut self) {
        self.begin_session(false);
    }

    fn begin_session(&mut self, is_after_crash: bool) {
        self.epoch += 1;
        self.tag = 0;
        for (_, message) in std::mem::take(&mut self.unacked).into_iter().rev() {
            self.queue.push_front((message, true));
        }
        let mut effects = Vec::new();
        let session = session(self.me, &self.codec, &self.shelf, self.epoch);
        let session = Session { is_after_crash, is_misled: self.is_misled, ..session };
        self.owner = Owner::new(session, self.registry.clone(), self.settings, time(self.second), &mut effects);
        self.effects = effects.into();
    }

    /// Delivers what waits in the queue.
    pub(crate) fn deliver(&mut self) {
        self.deliver_some(usize::MAX);
    }

    pub(crate) fn deliver_some(&mut self, max: usize) {
        let deliveries = self.take_deliveries(max);
        if !deliveries.is_empty() {
            self.input(Input::Delivered(deliveries));
        }
    }

    /// Returns what waits in the queue, as it is delivered.
    pub(crate) fn take_deliveries(&mut self, max: usize) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let (count, routing_key) = (max.min(self.queue.len()), self.codec.topology().control(self.me).name);
        for (message, redelivered) in self.queue.drain(..count) {
            self.tag += 1;
            self.unacked.insert(self.tag, message.clone());
            let routing_key = routing_key.clone();
            deliveries.push(Delivery { tag: self.tag, redelivered, routing_key: routing_key.into(), message });
        }
        deliveries
    }

    /// Carries out the oldest effect; returns whether there was one.
    pub(crate) fn act(&mut self) -> bool {
        self.act_on(|_| true)
    }

    /// Carries out the oldest effect of a kind; returns whether there was one.
    pub(crate) fn act_on(&mut self, is_it: impl Fn(&Effect) -> bool) -> bool {
        let Some(at) = self.effects.iter().position(is_it) else { return false };
        let effect = self.effects.remove(at).unwrap();
        if let Some(input) = self.carry_out(effect) {
            self.input(input);
        }
        true
    }

    /// Does what an effect says, and returns what the owner is to be told.
    pub(crate) fn carry_out(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Load(load) => Some(Input::Loaded(self.shelf.load(&load))),
            Effect::ReadTurns { number, keys } => Some(Input::Turns { number, rows: self.shelf.rows(&keys) }),
            Effect::ReadTimers { until, limit } => Some(Input::Timers(self.shelf.timers_before(until, limit))),
            Effect::Expire { answered_before, now } => {
                Some(Input::Expired(self.shelf.expire(answered_before, now, EXPIRE_MAX)))
            }
            Effect::Sweep(sweep) => {
                let swept = self.shelf.sweep(&sweep);
                Some(Input::Swept { sweep, swept })
            }
            Effect::Commit(commit) => {
                assert_eq!(commit.epoch, Epoch(self.epoch));
                let number = commit.number;
                if self.shelf.has_used(&commit) {
                    self.is_misled = true;
                    self.end_session();
                    return None;
                }
                self.shelf.apply(*commit);
                Some(Input::Committed(number))
            }
            Effect::Publish { ticket, batch } => {
                let result = self.broker_says.pop_front().unwrap_or(Published::Confirmed);
                let results = batch.iter().map(|_| result.clone()).collect();
                if result == Published::Confirmed {
                    batch.iter().for_each(|publication| self.route(publication));
                }
                self.published.extend(batch);
                Some(Input::Published { ticket, results })
            }
            Effect::Ack(tag) => {
                self.unacked.retain(|unacked, _| *unacked > tag);
                None
            }
            Effect::Trace(spans) => {
                self.spans.extend(spans);
                None
            }
            Effect::Drained => {
                self.is_drained = true;
                None
            }
        }
    }

    /// Gives a publication once more to whom it is for.
    pub(crate) fn hand_over(&mut self, publication: &Publication) {
        self.route(publication);
    }

    fn route(&mut self, publication: &Publication) {
        let Address::Queue(queue) = &publication.to else { return };
        let message = publication.message.clone();
        let delivery = Delivery { tag: 1, redelivered: false, routing_key: queue.clone(), message: message.clone() };
        if queue == "t.control.00" {
            self.queue.push_back((message, false));
        } else if queue.starts_with("t.work.") && self.has_workers {
            self.queue.push_back((answer(&delivery), false));
        } else if queue.starts_with("client") {
            let (correlation, reply) = decode_client_reply(&delivery).unwrap();
            self.replies.push((correlation.unwrap_or_default(), reply));
        }
    }

    /// Delivers and acts until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            self.deliver();
            if !self.act() && self.queue.is_empty() {
                return;
            }
        }
        panic!("the owner never comes to rest");
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.second += seconds;
        self.input(Input::Tick);
        self.settle();
    }

    pub(crate) fn send(&mut self, instance: &str, message_id: &str, command: Command) {
        self.send_when(instance, message_id, command, AnswerWhen::Accepted);
    }

    pub(crate) fn send_when(&mut self, instance: &str, message_id: &str, command: Command, when: AnswerWhen) {
        let envelope = self.envelope(instance, message_id, command, when);
        self.queue.push_back((self.codec.command(&envelope).message, false));
    }

    /// Sends a start whose sender vouches for its ids.
    pub(crate) fn start_fresh(&mut self, instance: &str, message_id: &str, name: &str, input: &str) {
        let envelope = self.envelope(instance, message_id, start(name, input), AnswerWhen::Outcome);
        let message = self.codec.command(&Envelope { is_fresh: true, ..envelope }).message;
        self.queue.push_back((message, false));
    }

    fn envelope(&self, instance: &str, message_id: &str, command: Command, when: AnswerWhen) -> Envelope {
        let answer_to = client(message_id);
        Envelope {
            id: MessageId::new(message_id).unwrap(),
            instance: id(instance),
            command,
            answer_to: Some(answer_to),
            when,
            is_fresh: false,
        }
    }

    /// Asks that open work be sent again.
    pub(crate) fn redispatch(&mut self, message_id: &str, what: Redispatch) {
        let answer_to = client(message_id);
        let order = RedispatchOrder { id: MessageId::new(message_id).unwrap(), what, answer_to: Some(answer_to) };
        self.queue.push_back((self.codec.redispatch(self.me, &order).message, false));
    }

    pub(crate) fn start(&mut self, instance: &str, name: &str, input: &str) {
        let message_id = format!("start-{instance}");
        self.send_when(instance, &message_id, start(name, input), AnswerWhen::Outcome);
    }

    pub(crate) fn record(&self, instance: &str) -> &InstanceRecord {
        &self.shelf.instances[&id(instance)]
    }

    /// What the sender of this message was told, in order.
    pub(crate) fn told(&self, message_id: &str) -> Vec<&ClientReply> {
        self.replies.iter().filter(|(correlation, _)| correlation == message_id).map(|(_, reply)| reply).collect()
    }

    /// The one outcome of a start.
    pub(crate) fn outcome(&self, instance: &str) -> &Outcome {
        let told = self.told(&format!("start-{instance}"));
        let [ClientReply::Outcome { outcome, .. }, ..] = &told[..] else { panic!("{instance} was told {told:?}") };
        outcome
    }

    /// How many work items of this activity were published.
    pub(crate) fn work_items(&self, activity: &str) -> usize {
        self.published.iter().filter(|p| p.message.kind.as_deref() == Some(activity)).count()
    }
}

pub(crate) fn start(name: &str, input: &str) -> Command {
    let (name, input) = (name.into(), json(input));
    Command::Start(StartRequest {
        name,
        version: None,
        input,
        tags: BTreeMap::new(),
        traceparent: None,
        if_exists: IfExists::Fail,
    })
}

fn session(partition: Partition, codec: &Codec, shelf: &Shelf, epoch: i64) -> Session {
    Session {
        partition,
        epoch: Epoch(epoch),
        codec: codec.clone(),
        state: shelf.state(),
        is_after_crash: false,
        is_misled: false,
    }
}

pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

/// Where a client's answers go.
pub(crate) fn client(correlation: &str) -> AnswerTo {
    AnswerTo { reply_to: "client".into(), correlation_id: Some(correlation.into()), stored: false, packs: false }
}

/// What a worker makes of a work item: `double` doubles a number.
pub(crate) fn answer(delivery: &Delivery) -> Message {
    let item = decode_work_item(delivery).unwrap();
    let number: i64 = item.input.parse().unwrap();
    reply(&item, &Ok(json(&(number * 2).to_string())), "w").message
}
