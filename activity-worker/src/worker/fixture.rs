//! What the tests of the worker's loop share: a worker on hub `h` that serves the queues `a` and `b`, and its effects.

use std::{num::NonZeroU16, time::Duration};

use warren_broker::{Address, Codec, Delivery, Message, OwnerWord, Permit, Publication, Published, Topology};
use warren_model::{
    ActionId, ExecutionId, InstanceId, Outcome, Outgoing, Partition, PartitionCount, Payload, TaskScheduled, Timeouts,
    Token,
};

use super::{Effect, Input, ItemId, Limits, QueueId, Served, Worker};

pub(super) const A: QueueId = QueueId(0);
pub(super) const B: QueueId = QueueId(1);
pub(super) const PAYLOAD_BYTES: usize = 500;
/// How long every activity runs.
pub(super) const TOOK: Duration = Duration::from_micros(1_500);
pub(super) const DRAIN: Duration = Duration::from_secs(30);

pub(super) const LEASE: Duration = Duration::from_secs(30);
pub(super) const HOLD: Duration = Duration::from_secs(300);

/// A worker, and what it last asked for.
pub(super) struct Bench {
    pub(super) worker: Worker,
    now: Duration,
}

/// Returns a worker with this many slots.
pub(super) fn bench(slots: u16) -> Bench {
    let concurrency = NonZeroU16::new(slots).unwrap();
    let limits = Limits { concurrency, payload_bytes: PAYLOAD_BYTES, drain: DRAIN, lease: LEASE, hold: HOLD };
    Bench::of(["a", "b"], limits)
}

impl Bench {
    pub(super) fn of<Q: Into<Served>>(queues: impl IntoIterator<Item = Q>, limits: Limits) -> Self {
        Self { worker: Worker::new(topology(), queues, "worker-1", limits), now: Duration::ZERO }
    }

    pub(super) fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.worker.step(input, &mut effects);
        effects
    }

    pub(super) fn deliver(&mut self, queue: QueueId, deliveries: impl Into<Vec<Delivery>>) -> Vec<Effect> {
        self.step(Input::Delivered { queue, deliveries: deliveries.into() })
    }

    pub(super) fn finish(&mut self, item: u64) -> Vec<Effect> {
        self.finish_with(item, Ok(Payload::of(&item).unwrap()))
    }

    pub(super) fn finish_with(&mut self, item: u64, outcome: Outcome) -> Vec<Effect> {
        self.step(Input::Finished { item: ItemId(item), outcome, took: TOOK })
    }

    pub(super) fn published(&mut self, item: u64, fate: Published) -> Vec<Effect> {
        self.step(Input::Published(vec![(ItemId(item), fate)]))
    }

    pub(super) fn confirm(&mut self, item: u64) -> Vec<Effect> {
        self.published(item, Published::Confirmed)
    }

    /// The owner answers question `number`, which asked whether the item would be `alone`.
    pub(super) fn answer(&mut self, number: u64, alone: bool, permit: Permit) -> Vec<Effect> {
        self.step(Input::Told(OwnerWord::Permit { question: question(number, alone), permit, progress: None }))
    }

    pub(super) fn lose(&mut self, queue: QueueId) -> Vec<Effect> {
        self.step(Input::Lost { queue })
    }

    pub(super) fn pass(&mut self, time: Duration) -> Vec<Effect> {
        self.now += time;
        self.step(Input::Tick { now: self.now })
    }
}

fn topology() -> Topology {
    Topology::new("h").unwrap()
}

/// Returns the work item of task `number` of an instance, as the owner of partition 3 publishes it.
pub(super) fn work(number: u32) -> Message {
    of_task(TaskScheduled::new(ActionId(number), "a", Payload::of(&number).unwrap()))
}

/// Returns the work item of a task that may run for an hour at most.
pub(super) fn limited(number: u32) -> Message {
    let timeouts = Timeouts { start_to_close_ms: Some(3_600_000), ..Timeouts::default() };
    of_task(TaskScheduled { timeouts, ..TaskScheduled::new(ActionId(number), "a", Payload::null()) })
}

fn of_task(task: TaskScheduled) -> Message {
    let codec = Codec::new(topology(), PartitionCount(NonZeroU16::new(8).unwrap()), [7; 16]);
    let outgoing = Outgoing::WorkItem {
        instance: InstanceId::new("order-7").unwrap(),
        execution: ExecutionId::from_u128(9),
        task,
        traceparent: None,
    };
    codec.outgoing(&outgoing, Partition(3), None).unwrap().message
}

/// Returns a message as it is delivered under this tag.
pub(super) fn delivery(tag: u64, message: Message) -> Delivery {
    Delivery { tag, redelivered: false, routing_key: "h.work.a".into(), message }
}

/// Returns task `number` as it is delivered under the tag of the same number.
pub(super) fn task(number: u32) -> Delivery {
    delivery(number.into(), work(number))
}

/// Returns task `number` as it is delivered again.
pub(super) fn again(number: u32) -> Delivery {
    Delivery { redelivered: true, ..task(number) }
}

/// Returns effects in short: `run 1`, `publish 1 to h.control.03`, `ack a 1`, `ack a ..3`, `requeue a 2`, …
pub(super) fn short(effects: &[Effect]) -> Vec<String> {
    let name = |queue: &QueueId| ["a", "b", "c", "d"][queue.0];
    let short = |effect: &Effect| match effect {
        Effect::Run { item, .. } => format!("run {}", item.0),
        Effect::Publish { item, publication } => format!("publish {} to {}", item.0, to(publication)),
        Effect::End { item, reason } => format!("end {} {reason:?}", item.0),
        Effect::Ask(word) if word.message.kind.as_deref() == Some("heartbeat") => format!("say {}", said(word)),
        Effect::Ask(question) => format!("ask {} {}", to(question), shown(question)),
        Effect::Ack { queue, tag, multiple: false } => format!("ack {} {tag}", name(queue)),
        Effect::Ack { queue, tag, multiple: true } => format!("ack {} ..{tag}", name(queue)),
        Effect::Requeue { queue, tag } => format!("requeue {} {tag}", name(queue)),
        Effect::Declare(spec) => format!("declare {}", spec.name),
        Effect::Cancel { queue } => format!("cancel {}", name(queue)),
        Effect::Pause { queue } => format!("pause {}", name(queue)),
        Effect::Consume { queue } => format!("consume {}", name(queue)),
        Effect::AskForBaton { queue } => format!("ask for baton {}", queue.0),
        Effect::LeaveBaton { queue } => format!("leave baton {}", queue.0),
        Effect::Stopped { running, replying } => format!("stopped, {running} running, {replying} replying"),
    };
    effects.iter().map(short).collect()
}

/// Returns effects in short, but for the words that what runs is alive.
pub(super) fn brief(effects: &[Effect]) -> Vec<String> {
    short(effects).into_iter().filter(|effect| !effect.starts_with("say ")).collect()
}

/// Returns the only publication of the effects.
pub(super) fn publication(effects: &[Effect]) -> Publication {
    let found = |effect: &Effect| match effect {
        Effect::Publish { publication, .. } => Some(publication.clone()),
        Effect::Run { .. }
        | Effect::End { .. }
        | Effect::Ask(_)
        | Effect::Ack { .. }
        | Effect::Requeue { .. }
        | Effect::Declare(_)
        | Effect::Cancel { .. }
        | Effect::Pause { .. }
        | Effect::Consume { .. }
        | Effect::AskForBaton { .. }
        | Effect::LeaveBaton { .. }
        | Effect::Stopped { .. } => None,
    };
    let mut all: Vec<Publication> = effects.iter().filter_map(found).collect();
    assert_eq!(all.len(), 1, "one publication in {:?}", short(effects));
    all.remove(0)
}

/// Returns how question `number` of the worker is known.
pub(super) fn question(number: u64, alone: bool) -> String {
    format!("0000000000000000:{number}:{}", u8::from(alone))
}

/// Which task it is about, and what is said: `1`, `1 workers`, `1 [7]`, `1 handed over`.
fn said(word: &Publication) -> String {
    let token: Token = word.message.correlation_id.as_deref().unwrap_or_default().parse().unwrap();
    let has = |name: &str| word.message.headers.contains_key(name);
    let mut text = token.task.to_string();
    for (name, what) in [("workers", " workers"), ("handed-over", " handed over")] {
        text += if has(name) { what } else { "" };
    }
    let progress = String::from_utf8_lossy(&word.message.body);
    if progress.is_empty() { text } else { format!("{text} {progress}") }
}

/// Which question it is: `0000000000000000:1:0`, the last digit says whether it would be alone.
fn shown(question: &Publication) -> &str {
    question.message.message_id.as_deref().unwrap_or_default()
}

fn to(publication: &Publication) -> &str {
    match &publication.to {
        Address::Queue(name) => name,
        Address::Exchange { exchange, .. } => exchange,
    }
}
