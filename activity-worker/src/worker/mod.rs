//! The worker's loop, as a type without I/O and without a clock: what happens goes in, what is to be done comes out.
//!
//! A work item waits for a free slot, runs, and is answered; it is acknowledged only after the broker has confirmed the
//! reply, so that a crash anywhere in between makes it run again rather than vanish.
//!
//! ```text
//!  delivered ──▶ waiting ──run──▶ running ──finished──▶ replying ──confirmed──▶ ack
//!      │            │                                    │    ▲
//!      │            └─drain─▶ requeue          returned, │    │ tick
//!      └─makes no sense─▶ burying (H.dead) ─▶ ack     lost ───┘
//!
//!  delivered again ──▶ waiting ──ask the owner──▶ asking ──go──▶ running
//!                         ▲                        │ └──drop──▶ ack
//!                         └────────alone───────────┘
//! ```
//!
//! **A lost channel.** The broker gives its unacknowledged messages to whoever consumes next. So what waited here is
//! forgotten; what runs goes on, since a half-done activity is worth no more than a finished one, and its reply is sent
//! whether or not the item can still be acknowledged. The item may then run twice: the owner takes the first reply and
//! drops the second, as both carry the same token. If the item comes back to this very worker while it still runs (a
//! reconnect, or the broker's acknowledgement timeout), it is not begun again: the new delivery is tied to the run, and
//! is acknowledged with it. A worker that is alone therefore never runs one attempt twice at once.
//!
//! **An item that comes again** may have taken a worker down (H18), so its owner is asked before it begins: see
//! `ask.rs`.
//!
//! The shell beside it moves the bytes, and the simulation runs this very type.

mod acks;
mod ask;
mod baton;
mod bound;
mod deliver;
mod drain;
mod finish;
mod item;
mod limits;
mod lost;
mod pause;
mod port;
mod publish;
mod queue;
mod retry;
mod runs;
mod served;
mod start;
mod turns;

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU16,
    time::Duration,
};

use warren_broker::{Codec, Text, Topology};
use warren_model::PartitionCount;

pub use bound::Bound;
pub use limits::Limits;
pub use port::{Effect, Input, ItemId, QueueId, ServedId};
pub use served::Served;

use ask::Suspects;
use item::Item;
use queue::Queues;

/// What a worker holds, and how far it has come. See the module for its rules.
#[derive(Debug)]
pub struct Worker {
    name: String,
    /// Keeps two workers from trying again in step.
    salt: u64,
    limits: Limits,
    codec: Codec,
    queues: Queues,
    items: BTreeMap<ItemId, Item>,
    /// The items that wait, run or reply, by token.
    tokens: HashMap<Text, ItemId>,
    running: usize,
    asking: usize,
    suspects: Suspects,
    questions: u64,
    /// Tells this life of the process from others of the same name.
    life: u64,
    replying: usize,
    /// How many runs were handed back.
    handed_back: usize,
    begun: u64,
    buried: u64,
    now: Duration,
    /// Since when no slot was free.
    full_since: Option<Duration>,
    /// When the runs were last looked at.
    looked_at: Duration,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Draining {
        until: Duration,
    },
    /// What runs was told to end.
    Stopping {
        until: Duration,
    },
    /// What still runs was handed back.
    Leaving {
        until: Duration,
    },
    Stopped,
}

impl Worker {
    /// Returns a worker that serves these queues (the first is [`ServedId`] 0, and the first one's first lane [`QueueId`] 0)
    /// and holds nothing yet; it has asked for their batons. `name` is what it calls itself in replies.
    pub fn new<Q: Into<Served>>(
        topology: Topology,
        queues: impl IntoIterator<Item = Q>,
        name: impl Into<String>,
        limits: Limits,
    ) -> Self {
        let name = name.into();
        Self {
            salt: retry::salt(&name),
            name,
            limits,
            // Of the codec only the dead letters are used here: they need neither the partition count nor the secret.
            codec: Codec::new(topology, PartitionCount(NonZeroU16::MIN), [0; 16]),
            queues: Queues::new(queues.into_iter().map(Into::into)),
            items: BTreeMap::new(),
            tokens: HashMap::new(),
            running: 0,
            asking: 0,
            suspects: Suspects::default(),
            questions: 0,
            life: 0,
            replying: 0,
            handed_back: 0,
            begun: 0,
            buried: 0,
            now: Duration::ZERO,
            full_since: None,
            looked_at: Duration::ZERO,
            phase: Phase::Serving,
        }
    }

    /// Sets what tells this life of the process from others of the same name: a number that none of them had.
    #[must_use]
    pub fn with_life(self, life: u64) -> Self {
        Self { life, ..self }
    }

    /// Takes in what has happened and adds what is to be done, in this order, to `effects`.
    pub fn step(&mut self, input: Input, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Stopped {
            return;
        }
        match input {
            Input::Delivered { queue, deliveries } => self.deliver(queue, &deliveries, effects),
            Input::Finished { item, outcome, took } => self.finish(item, outcome, took, effects),
            Input::Published(fates) => self.published(fates, effects),
            Input::Beat { item, progress } => self.beat(item, progress, effects),
            Input::HandedOver { item } => self.hand_over(item, effects),
            Input::Told(word) => self.told(word, effects),
            Input::Lost { queue } => self.lose(queue),
            Input::Paused { queue } => self.paused(queue, effects),
            Input::Baton { queue, is_held } => self.baton(queue, is_held, effects),
            Input::Tick { now } => self.tick(now, effects),
            Input::Drain => self.drain(effects),
        }
        if self.is_serving() {
            self.note_room(effects);
        }
        self.start(effects);
        if !self.is_serving() {
            self.leave_batons(effects);
        }
        self.stop_when_done(effects);
    }

    /// Returns how many activities run at the moment.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Returns how many work items wait, run or are being answered.
    pub fn held(&self) -> usize {
        self.items.len()
    }

    /// Returns how many work items it has sent to the dead queue so far.
    pub fn buried(&self) -> u64 {
        self.buried
    }

    /// Returns whether the worker takes work.
    pub fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    fn tick(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        self.publish_again(effects);
        self.acknowledge_late(effects);
        self.ask_again(effects);
        self.look_after_runs(effects);
        self.pause(effects);
        self.let_others_in();
    }
}

#[cfg(test)]
mod fixture;
