//! Several owners, a broker that misbehaves, and clients: everything that may happen, in an order that a seed decides.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::Hasher,
    num::NonZeroU16,
};

use warren::Registry;
use warren_broker::{Address, ClientReply, Delivery, Envelope, Message, Publication, Published, decode_client_reply};
use warren_model::{AnswerWhen, Command, InstanceId, MessageId, Partition, PartitionCount};

use super::{
    super::*,
    world::{World, answer, client, id, time},
};

/// SplitMix64 (public domain, Vigna).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// One owner's world, with what its shell has yet to tell it.
struct Side {
    world: World,
    /// What the lane of writes has answered, in order, …
    written: VecDeque<Input>,
    /// … and what other reads and publications have, in any.
    heard: Vec<Input>,
    drains: bool,
}

pub(crate) struct Sim {
    pub(crate) random: Random,
    sides: Vec<Side>,
    /// Messages that the broker has and no queue yet: to which partition.
    wire: Vec<(usize, Message)>,
    pub(crate) replies: Vec<(String, ClientReply)>,
    /// What is in the dead queue.
    pub(crate) dead: BTreeSet<String>,
    pub(crate) second: i64,
    /// Whether anything goes wrong.
    pub(crate) is_rough: bool,
    partitions: PartitionCount,
    trace: std::hash::DefaultHasher,
}

impl Sim {
    pub(crate) fn new(seed: u64, partitions: u16, registry: &Registry, settings: Settings) -> Self {
        let partitions = PartitionCount(NonZeroU16::new(partitions).unwrap());
        let world = |me: Partition| World::of(registry.clone(), settings, me, partitions);
        let side = |me| Side { world: world(me), written: VecDeque::new(), heard: Vec::new(), drains: false };
        Self {
            random: Random(seed),
            sides: partitions.all().map(side).collect(),
            wire: Vec::new(),
            replies: Vec::new(),
            dead: BTreeSet::new(),
            second: 0,
            is_rough: true,
            partitions,
            trace: std::hash::DefaultHasher::new(),
        }
    }

    pub(crate) fn worlds(&self) -> impl Iterator<Item = &World> {
        self.sides.iter().map(|side| &side.world)
    }

    pub(crate) fn world_of(&self, instance: &InstanceId) -> &World {
        &self.sides[usize::from(self.partitions.of(instance).0)].world
    }

    /// Tells whether two runs were the same.
    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }

    pub(crate) fn send(&mut self, instance: &str, message_id: &str, command: Command, when: AnswerWhen) {
        let answer_to = client(message_id);
        let (id, instance) = (MessageId::new(message_id).unwrap(), id(instance));
        let target = usize::from(self.partitions.of(&instance).0);
        let envelope = Envelope { id, instance, command, answer_to: Some(answer_to), when, is_fresh: false };
        let message = self.sides[target].world.codec.command(&envelope).message;
        self.put(target, message);
    }

    /// Hands a message to the broker, now and then twice. Word to a partition may be lost, confirmed as it is.
    fn put(&mut self, target: usize, message: Message) {
        let is_word = matches!(message.kind.as_deref(), Some("partition" | "taken"));
        if self.is_rough && is_word && self.random.one_in(10) {
            return;
        }
        if self.is_rough && self.random.one_in(10) {
            self.wire.push((target, message.clone()));
        }
        self.wire.push((target, message));
    }

    /// Lets one thing happen; returns whether there was something to do.
    pub(crate) fn step(&mut self) -> bool {
        let at = self.random.below(self.sides.len());
        if self.is_rough && self.random.one_in(150) {
            self.crash(at);
        }
        if self.is_rough && self.random.one_in(400) {
            self.tell(at, Input::Drain);
            self.sides[at].drains = true;
        }
        match self.random.below(6) {
            0 => self.arrive(),
            1 => self.deliver(at),
            2 | 3 => self.act(at),
            _ => self.hear(at),
        }
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.second += seconds;
        (0..self.sides.len()).for_each(|at| self.tell(at, Input::Tick));
    }

    /// A message reaches its queue: in order if all is calm.
    fn arrive(&mut self) -> bool {
        if self.wire.is_empty() {
            return false;
        }
        let at = if self.is_rough { self.random.below(self.wire.len()) } else { 0 };
        let (target, message) = self.wire.remove(at);
        self.sides[target].world.queue.push_back((message, false));
        true
    }

    fn deliver(&mut self, at: usize) -> bool {
        let max = 1 + self.random.below(8);
        let side = &mut self.sides[at];
        if side.drains || side.world.queue.is_empty() {
            return false;
        }
        side.world.second = self.second;
        side.world.deliver_some(max);
        true
    }

    /// The shell carries out an effect: writes in their order, acknowledgements in theirs, the rest in any.
    fn act(&mut self, at: usize) -> bool {
        let effects = &self.sides[at].world.effects;
        if effects.is_empty() {
            return false;
        }
        let wanted = self.random.below(effects.len());
        let lane = lane(&effects[wanted]);
        let first = effects.iter().position(|effect| self::lane(effect) == lane).unwrap();
        let place = if lane == Lane::Free { wanted } else { first };
        let effect = self.sides[at].world.effects.remove(place).unwrap();
        self.trace.write(format!("{at} {effect:?}").as_bytes());
        let input = match effect {
            Effect::Publish { ticket, batch } => self.publish(at, ticket, batch),
            Effect::Drained => {
                let world = &self.sides[at].world;
                let left = (&world.unacked, &world.shelf.outbox);
                // It was refused then, though the broker may have taken it since.
                let goes_on = !world.owner.outbox.is_at_rest() || !world.owner.flights.is_empty();
                let is_refused = !world.owner.outbox.is_confirmed() || goes_on;
                let is_empty = left.0.is_empty() && left.1.values().flatten().all(is_word);
                assert!(is_refused || is_empty, "drained, and something is left that was not refused: {left:?}");
                self.crash(at);
                return true;
            }
            Effect::Load(_)
            | Effect::ReadTurns { .. }
            | Effect::Sweep(_)
            | Effect::ReadTimers { .. }
            | Effect::Expire { .. }
            | Effect::Commit(_)
            | Effect::Trace(_)
            | Effect::Ack(_) => self.sides[at].world.carry_out(effect),
        };
        let side = &mut self.sides[at];
        match lane {
            Lane::Writes => side.written.extend(input),
            Lane::Acks | Lane::Free => side.heard.extend(input),
        }
        true
    }

    /// The owner hears how something went.
    fn hear(&mut self, at: usize) -> bool {
        let side = &mut self.sides[at];
        let is_written = side.heard.is_empty() || (!side.written.is_empty() && self.random.one_in(2));
        let input = if is_written {
            side.written.pop_front()
        } else {
            Some(side.heard.swap_remove(self.random.below(side.heard.len())))
        };
        let Some(input) = input else { return false };
        self.tell(at, input);
        true
    }

    fn tell(&mut self, at: usize, input: Input) {
        let side = &mut self.sides[at];
        side.world.second = self.second;
        side.world.input(input);
    }

    /// The owner is gone; a commit on its way may be written all the same.
    pub(crate) fn crash(&mut self, at: usize) {
        let side = &mut self.sides[at];
        while self.random.one_in(3) {
            let Some(next) = side.world.effects.iter().position(|effect| lane(effect) == Lane::Writes) else { break };
            let effect = side.world.effects.remove(next).unwrap();
            side.world.carry_out(effect);
        }
        self.trace.write(format!("{at} is gone").as_bytes());
        side.world.second = self.second;
        (side.written, side.heard, side.drains) = (VecDeque::new(), Vec::new(), false);
        side.world.crash();
    }

    /// Replaces every owner by one that knows these orchestrators.
    pub(crate) fn deploy(&mut self, registry: &Registry) {
        for at in 0..self.sides.len() {
            self.sides[at].world.registry = registry.clone();
            self.crash(at);
        }
    }

    fn publish(&mut self, at: usize, ticket: Ticket, batch: Vec<Publication>) -> Option<Input> {
        let mut results = Vec::new();
        for publication in batch {
            let result = match self.random.below(if self.is_rough { 12 } else { 1 }) {
                1 => Published::Refused("full".into()),
                2 if publication.mandatory => Published::Returned,
                _ => Published::Confirmed,
            };
            if result == Published::Confirmed {
                self.route(publication);
            }
            results.push(result);
        }
        if self.is_rough && self.random.one_in(60) {
            self.crash(at); // the channel was lost, and nobody knows what was published
            return None;
        }
        Some(Input::Published { ticket, results })
    }

    fn route(&mut self, publication: Publication) {
        let Publication { to: Address::Queue(queue), message, .. } = publication else { return };
        let delivery = Delivery { tag: 1, redelivered: false, routing_key: queue.clone(), message: message.clone() };
        if let Some(target) = self.sides[0].world.codec.topology().partition_of_control(&queue) {
            self.put(target.0.into(), message);
        } else if queue.starts_with("t.work.") {
            let reply_to = message.reply_to.clone().unwrap();
            let target = self.sides[0].world.codec.topology().partition_of_control(&reply_to).unwrap();
            self.put(target.0.into(), answer(&delivery));
        } else if queue == "t.dead" {
            self.dead.insert(String::from_utf8_lossy(&message.body).into_owned());
        } else if queue == "client" {
            let (correlation, reply) = decode_client_reply(&delivery).unwrap();
            self.replies.push((correlation.unwrap_or_default(), reply));
        }
    }

    /// Returns whether nothing is on its way anywhere.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_idle = |side: &Side| {
            let world = &side.world;
            world.queue.is_empty() && world.effects.is_empty() && side.written.is_empty() && side.heard.is_empty()
        };
        self.wire.is_empty() && self.sides.iter().all(is_idle)
    }

    pub(crate) fn now(&self) -> Timestamp {
        time(self.second)
    }
}

/// Returns whether an entry of the outbox is word to partitions, which may have yet to say that they have taken it.
fn is_word(entry: &OutboxEntry) -> bool {
    match entry {
        OutboxEntry::Turn(turn) => turn.only_words,
        OutboxEntry::Message { .. } | OutboxEntry::Over { .. } => true,
        OutboxEntry::Dead { .. } => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Writes,
    Acks,
    Free,
}

fn lane(effect: &Effect) -> Lane {
    match effect {
        Effect::Commit(_) | Effect::ReadTimers { .. } | Effect::Expire { .. } => Lane::Writes,
        Effect::Ack(_) | Effect::Drained => Lane::Acks,
        Effect::Load(_) | Effect::ReadTurns { .. } | Effect::Sweep(_) | Effect::Publish { .. } | Effect::Trace(_) => {
            Lane::Free
        }
    }
}
