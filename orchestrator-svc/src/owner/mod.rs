//! The owner's loop: everything that one partition's owner decides, without I/O and without a clock.
//!
//! ```text
//! deliveries, due timers ─▶ gather ─▶ load what is not cached ─▶ run turns ─▶ commit ─▶ ack, publish, answer
//!                              ▲                                   │ (the next batch is gathered meanwhile)
//!                              └───────────────────────────────────┘
//! ```
//! The order is the whole point: nothing is acknowledged, published or answered before the commit that it belongs to
//! (H3, H4), and commits follow each other by number. An [`Owner`] lives for one session: one channel, one epoch. After
//! a failed or unknown commit, or a lost channel, it is dropped and a new one begins from the store; the broker delivers
//! again what was not acknowledged, and every kind of duplicate is known for one (H1).

mod acks;
mod batch;
mod cache;
mod commands;
mod flight;
mod gather;
mod links;
mod outbox;
mod partition_messages;
mod recover;
mod settings;
mod turns;
mod wheel;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use warren_broker::{Codec, Delivery, Publication, Published};
use warren_engine::Programs;
use warren_model::{AnswerTo, InstanceId, MessageId, Partition, Timestamp};
use warren_store::{Commit, Epoch, Load, Loaded, OutboxEntry, PartitionState, PendingRow, TimerRow, TurnKey, TurnRow};

pub use self::settings::Settings;
use self::{
    acks::Acks, batch::Work, cache::Cache, flight::Flight, gather::Gathered, links::Links, outbox::Outbox, wheel::Wheel,
};

/// What an owner is told.
#[derive(Debug)]
pub enum Input {
    /// Messages of the control queue, in order.
    Delivered(Vec<Delivery>),
    /// What [`Effect::Load`] asked for.
    Loaded(Loaded),
    /// What [`Effect::ReadTurns`] asked for.
    Turns {
        /// The outbox row that they belong to.
        number: u64,
        /// The turns that still exist.
        rows: Vec<TurnRow>,
    },
    /// What [`Effect::ReadTimers`] asked for.
    Timers(Vec<TimerRow>),
    /// What [`Effect::Expire`] asked for: events that nobody has come for.
    Expired(Vec<PendingRow>),
    /// The commit with this number is written.
    Committed(u64),
    /// What became of the publications of an [`Effect::Publish`], in order.
    Published {
        /// Which publications.
        ticket: Ticket,
        /// What became of each.
        results: Vec<Published>,
    },
    /// Time has passed.
    Tick,
    /// Finish what has arrived and take nothing new.
    Drain,
}

/// What an owner wants done.
#[derive(Debug)]
pub enum Effect {
    /// Read instances and earlier commands; answered by [`Input::Loaded`].
    Load(Load),
    /// Read single turns; answered by [`Input::Turns`].
    ReadTurns {
        /// The outbox row that they belong to.
        number: u64,
        /// Which.
        keys: Vec<TurnKey>,
    },
    /// Read timers that come due before `until`, once every commit asked for before is written; answered by [`Input::Timers`].
    ReadTimers {
        /// By the database's clock.
        until: Timestamp,
        /// At most so many.
        limit: usize,
    },
    /// Remove what has expired; answered by [`Input::Expired`].
    Expire {
        /// Commands answered before this are forgotten.
        answered_before: Timestamp,
        /// Events that waited until before this are given up.
        now: Timestamp,
    },
    /// Write a batch. Commits are written in the order of their effects; answered by [`Input::Committed`].
    Commit(Box<Commit>),
    /// Publish; answered by [`Input::Published`].
    Publish {
        /// By which the answer names them.
        ticket: Ticket,
        /// What to publish, in order.
        batch: Vec<Publication>,
    },
    /// Acknowledge every delivery up to this tag.
    Ack(u64),
    /// Everything that arrived is committed, published and acknowledged.
    Drained,
}

/// Names a group of publications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ticket {
    /// The tracked messages of the commit with this number.
    Commit(u64),
    /// Messages for the dead queue; deliveries wait for them.
    Dead(u64),
    /// Answers, which nobody tracks: who misses one asks again.
    Answers,
}

/// How many commits may be on their way: one that the store writes, and the next.
const FLIGHTS_MAX: usize = 2;

/// What a session begins with.
#[derive(Clone)]
pub struct Session {
    /// The partition.
    pub partition: Partition,
    /// The epoch under which it was acquired.
    pub epoch: Epoch,
    /// Reads and writes the hub's messages.
    pub codec: Codec,
    /// What the store held at its beginning.
    pub state: PartitionState,
}

/// The owner of one partition for one session.
pub struct Owner<P> {
    me: Partition,
    epoch: Epoch,
    codec: Codec,
    programs: P,
    settings: Settings,
    now: Timestamp,
    inbox: VecDeque<Delivery>,
    /// The batch that waits for what it must read.
    loading: Option<Gathered>,
    cache: Cache,
    /// Instances that may be able to go on without a new message.
    ready: BTreeSet<InstanceId>,
    wheel: Wheel,
    links: Links,
    outbox: Outbox,
    acks: Acks,
    /// Rows of the outbox whose turns are being read.
    recovering: BTreeMap<u64, Vec<OutboxEntry>>,
    /// Answers to commands whose commit is on its way; later ones are found in the store.
    answered: BTreeMap<MessageId, warren_store::CommandRow>,
    waiters: BTreeMap<InstanceId, Vec<AnswerTo>>,
    flights: VecDeque<Flight>,
    /// The number of the last commit that was begun.
    number: u64,
    /// The number of the last commit that was written.
    committed: u64,
    next_expiry: Timestamp,
    draining: bool,
}

impl<P: Programs> Owner<P> {
    /// Begins a session from what the store holds.
    pub fn new(session: Session, programs: P, settings: Settings, now: Timestamp, effects: &mut Vec<Effect>) -> Self {
        let Session { partition, epoch, codec, state } = session;
        let mut owner = Self {
            me: partition,
            epoch,
            codec,
            programs,
            settings,
            now,
            inbox: VecDeque::new(),
            loading: None,
            cache: Cache::new(settings.cache_instances),
            ready: state.waiting.iter().cloned().collect(),
            wheel: Wheel::new(now),
            links: Links::new(&state),
            outbox: Outbox::default(),
            acks: Acks::default(),
            recovering: BTreeMap::new(),
            answered: BTreeMap::new(),
            waiters: BTreeMap::new(),
            flights: VecDeque::new(),
            number: state.number,
            committed: state.number,
            next_expiry: now,
            draining: false,
        };
        owner.recover(state.outbox, effects);
        owner.advance(effects);
        owner
    }

    /// Takes one input at `now` (the database's clock, as well as the caller knows it) and appends what is to be done.
    pub fn step(&mut self, input: Input, now: Timestamp, effects: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        match input {
            Input::Delivered(deliveries) => self.inbox.extend(deliveries),
            Input::Loaded(loaded) => self.loaded(loaded, effects),
            Input::Turns { number, rows } => self.recovered(number, &rows, effects),
            Input::Timers(rows) => self.wheel.fill(rows, self.settings.timers_max),
            Input::Expired(rows) => self.expired(rows, effects),
            Input::Committed(number) => self.has_committed(number, effects),
            Input::Published { ticket, results } => self.has_published(ticket, &results, effects),
            Input::Tick => self.tick(effects),
            Input::Drain => self.draining = true,
        }
        self.advance(effects);
    }

    /// Returns when the owner next wants a tick, if nothing else happens before.
    pub fn wakes_at(&self) -> Timestamp {
        let is_busy = self.draining || self.loading.is_some() || self.flights.len() >= FLIGHTS_MAX;
        let by_timer = if is_busy { None } else { self.wheel.next_due() };
        [by_timer, self.outbox.next_retry(), self.outbox.flush_at()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    /// Returns how many instances are in memory.
    pub fn cached_instances(&self) -> usize {
        self.cache.len()
    }

    fn tick(&mut self, effects: &mut Vec<Effect>) {
        self.outbox.retry(self.now, effects);
        if self.now >= self.next_expiry && !self.draining {
            self.next_expiry = self.now + self.settings.expiry_interval;
            let (answered_before, now) = (self.now - self.settings.duplicate_window, self.now);
            effects.push(Effect::Expire { answered_before, now });
        }
    }

    /// Begins batches while there is something to do and room for another commit.
    fn advance(&mut self, effects: &mut Vec<Effect>) {
        while self.loading.is_none() && self.flights.len() < FLIGHTS_MAX {
            let Some(mut gathered) = self.gather() else { break };
            if gathered.load.instances.is_empty() && gathered.load.commands.is_empty() {
                self.run(gathered, effects);
            } else {
                effects.push(Effect::Load(std::mem::take(&mut gathered.load)));
                self.loading = Some(gathered);
            }
        }
        if let Some(until) = self.wheel.wants_more(self.now) {
            effects.push(Effect::ReadTimers { until, limit: self.settings.timers_max });
        }
        self.flush(effects);
    }

    /// Clears confirmed rows of the outbox when no other commit does it.
    fn flush(&mut self, effects: &mut Vec<Effect>) {
        let is_idle = self.flights.is_empty() && self.loading.is_none();
        if is_idle && self.outbox.is_due_for_flush(self.now, self.draining) {
            let work = Work::new(self.begin_commit());
            self.launch(work, None, effects);
        }
        let is_done = is_idle && self.flights.is_empty() && self.inbox.is_empty() && self.acks.is_empty();
        if self.draining && is_done && self.outbox.is_empty() && self.recovering.is_empty() {
            effects.push(Effect::Drained);
        }
    }
}

#[cfg(test)]
mod test;
