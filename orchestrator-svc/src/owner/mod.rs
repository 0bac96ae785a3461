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
mod begin;
mod cache;
mod commands;
mod counts;
mod dead;
mod expiry;
mod flight;
mod gather;
mod held;
mod links;
mod notes;
mod outbox;
mod parked;
mod partition_messages;
mod poison;
mod purge;
mod ready;
mod recover;
mod redispatch;
mod retention;
mod runs;
mod settings;
mod taken;
mod traces;
mod turns;
mod unheard;
mod waiters;
mod wheel;

use std::collections::{BTreeMap, VecDeque};

use warren_broker::{Codec, Delivery, Publication, Published};
use warren_engine::Programs;
use warren_model::{InstanceId, MessageId, Partition, Timestamp};
use warren_service::traces::Span;
use warren_store::{
    CommandRow, Commit, Epoch, Expired, Load, Loaded, OutboxEntry, PartitionState, Sweep, Swept, TimerRow, TurnKey,
    TurnRow,
};

pub(crate) use self::counts::{Counts, Levels};
use self::{
    acks::Acks,
    batch::Work,
    cache::Cache,
    expiry::Expiry,
    flight::Flight,
    gather::{Gathered, Item},
    links::Links,
    notes::TaskNotes,
    outbox::Outbox,
    parked::Parked,
    poison::Poison,
    ready::Ready,
    redispatch::Redispatching,
    retention::Retention,
    taken::Taken,
    waiters::Waiters,
    wheel::Wheel,
};
pub use self::{
    poison::{accuse, blame},
    settings::Settings,
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
    Expired(Expired),
    /// What [`Effect::Sweep`] asked for.
    Swept {
        /// What was asked.
        sweep: Sweep,
        /// What was found.
        swept: Swept,
    },
    /// The commit with this number is written.
    Committed(u64),
    /// What became of the publications of an [`Effect::Publish`], in order.
    Published {
        /// Which publications.
        ticket: Ticket,
        /// What became of each.
        results: Vec<Published>,
    },
    /// Time has passed, and nothing else has happened.
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
    /// Read a page of instances; answered by [`Input::Swept`].
    Sweep(Sweep),
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
    /// Show these spans to whoever watches; what they are of is committed.
    Trace(Vec<Span>),
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
    /// Work items of a redispatch, which whoever asked for it tracks.
    Redispatch,
    /// Answers, which nobody tracks: who misses one asks again.
    Answers,
}

/// How many commits may be on their way: one that the store writes, and the next, which it has at hand then.
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
    /// Whether the owner before ended without a word.
    pub is_after_crash: bool,
    /// Whether a sender has lately ended a session by vouching wrongly for its ids.
    pub is_misled: bool,
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
    /// The batch that waits for the commit with this number, which marks its instances.
    marking: Option<(u64, Gathered)>,
    poison: Poison,
    task_notes: TaskNotes,
    cache: Cache,
    /// Instances that may be able to go on without a new message.
    ready: Ready,
    wheel: Wheel,
    links: Links,
    outbox: Outbox,
    acks: Acks,
    /// Rows of the outbox whose turns are being read.
    recovering: BTreeMap<u64, Vec<OutboxEntry>>,
    /// Answers to commands whose commit, with this number, is on its way; earlier ones are found in the store.
    answered: BTreeMap<MessageId, (u64, CommandRow)>,
    waiters: Waiters,
    /// How many groups of answers are on their way to the broker.
    answering: usize,
    flights: VecDeque<Flight>,
    /// The number of the last commit that was begun.
    number: u64,
    /// The number of the last commit that was written.
    committed: u64,
    /// From when on a sender that vouches for its ids is believed.
    believes_from: Timestamp,
    next_expiry: Timestamp,
    expiry: Expiry,
    redispatching: Redispatching,
    taken: Taken,
    retention: Retention,
    /// What is to be done for instances besides what arrives for them.
    chores: VecDeque<Item>,
    /// Whether this step has run a batch.
    has_run: bool,
    draining: bool,
    parked: Parked,
    counts: Counts,
}

impl<P: Programs> Owner<P> {
    /// Begins a session from what the store holds.
    pub fn new(session: Session, programs: P, settings: Settings, now: Timestamp, effects: &mut Vec<Effect>) -> Self {
        let Session { partition, epoch, codec, state, is_after_crash, is_misled } = session;
        let poison = Poison::new(state.suspects.clone(), is_after_crash, now, &state.waiting);
        let ready: Vec<InstanceId> = state.waiting.iter().chain(poison.condemned()).cloned().collect();
        let mut owner = Self {
            me: partition,
            epoch,
            codec,
            programs,
            settings,
            now,
            inbox: VecDeque::new(),
            loading: None,
            marking: None,
            poison,
            task_notes: TaskNotes::new(state.task_notes.clone(), now),
            cache: Cache::new(settings.cache_instances, settings.cache_bytes),
            ready: ready.into_iter().collect(),
            wheel: Wheel::new(now, settings.timers_max),
            links: Links::new(&state),
            outbox: Outbox::default(),
            acks: Acks::default(),
            recovering: BTreeMap::new(),
            answered: BTreeMap::new(),
            waiters: Waiters::default(),
            answering: 0,
            flights: VecDeque::new(),
            number: state.number,
            committed: state.number,
            believes_from: now + if is_misled { settings.distrust } else { settings.doubt },
            next_expiry: now + settings.expiry_interval,
            expiry: Expiry::Idle,
            redispatching: Redispatching::default(),
            taken: Taken::new(state.received.clone(), now),
            retention: Retention::new(now),
            chores: VecDeque::new(),
            has_run: false,
            draining: false,
            parked: Parked::default(),
            counts: Counts::default(),
        };
        owner.recover(state.outbox, effects);
        owner.advance(effects);
        owner
    }

    /// Takes one input at `now` (the database's clock, as well as the caller knows it) and appends what is to be done.
    pub fn step(&mut self, input: Input, now: Timestamp, effects: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        self.has_run = false;
        match input {
            Input::Delivered(deliveries) => self.inbox.extend(deliveries),
            Input::Loaded(loaded) => self.loaded(loaded, effects),
            Input::Turns { number, rows } => self.recovered(number, &rows, effects),
            Input::Timers(rows) => {
                self.poison.has_read_timers();
                self.wheel.fill(rows);
            }
            Input::Expired(expired) => self.expired(expired, effects),
            Input::Swept { sweep: Sweep::One(_) | Sweep::Open { .. }, swept } => {
                self.swept_for_redispatch(swept, effects);
            }
            Input::Swept { sweep: Sweep::EndedBefore { .. }, swept } => self.swept_for_retention(swept),
            Input::Committed(number) => self.has_committed(number, effects),
            Input::Published { ticket, results } => self.has_published(ticket, &results, effects),
            Input::Tick => {}
            Input::Drain => {
                self.draining = true;
                self.outbox.drain(self.now);
            }
        }
        // At every step: an owner that is never idle never hears a tick.
        self.outbox.retry(self.now, effects);
        self.send_unheard(false, effects);
        self.expire(effects);
        self.look_for_outlived(effects);
        self.advance(effects);
        self.tell_taken(effects);
        self.redispatch(effects);
    }

    /// Returns when the owner next wants a tick, if nothing else happens before.
    pub fn wakes_at(&self) -> Timestamp {
        let can_begin = self.can_begin() && !self.draining;
        let by_timer = if can_begin { self.wheel.next_due() } else { None };
        let by_run = if can_begin { self.task_notes.next_due() } else { None };
        let by_more = self.has_more().then_some(self.now);
        let by_flush = if self.is_idle() { self.outbox.flush_at() } else { None };
        [by_more, by_timer, by_run, by_flush, self.outbox.next_again(), self.taken.next_at()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    /// Returns whether there may be another batch to run at once. Whoever carries out what the last one wants before the next
    /// step has it written while that runs.
    pub fn has_more(&self) -> bool {
        self.has_run && self.can_begin()
    }

    /// Returns whether another batch may begin.
    fn can_begin(&self) -> bool {
        let has_room = match self.flights.len() {
            0 => true,
            FLIGHTS_MAX.. => false,
            _ => self.inbox.len() >= self.settings.overlap_min,
        };
        self.awaited().is_none() && has_room && self.expiry == Expiry::Idle
    }

    /// Returns whether nothing is being read or written.
    fn is_idle(&self) -> bool {
        self.awaited().is_none() && self.flights.is_empty() && self.expiry == Expiry::Idle
    }

    /// Returns the batch that was gathered and can't run yet.
    fn awaited(&self) -> Option<&Gathered> {
        self.loading.as_ref().or_else(|| self.marking.as_ref().map(|(_, gathered)| gathered))
    }

    /// Begins a batch if this step has run none, and there is something to do and room for another commit.
    fn advance(&mut self, effects: &mut Vec<Effect>) {
        self.run_marked(effects);
        if !self.has_run
            && self.can_begin()
            && let Some(gathered) = self.gather()
        {
            self.run_warily(gathered, effects);
        }
        if let Some(until) = self.wheel.wants_more(self.now) {
            effects.push(Effect::ReadTimers { until, limit: self.settings.timers_max });
        }
        self.flush(effects);
    }

    /// Runs a batch once everything that it needs is in memory.
    fn read_and_run(&mut self, mut gathered: Gathered, effects: &mut Vec<Effect>) {
        if gathered.load.instances.is_empty() && gathered.load.commands.is_empty() {
            self.run(gathered, effects);
        } else {
            effects.push(Effect::Load(std::mem::take(&mut gathered.load)));
            self.loading = Some(gathered);
        }
    }

    /// Clears confirmed rows of the outbox when no other commit does it.
    fn flush(&mut self, effects: &mut Vec<Effect>) {
        if self.is_idle() && self.outbox.is_due_for_flush(self.now, self.draining) {
            let work = Work::new(self.begin_commit());
            self.launch(work, None, effects);
        }
        // What the broker refuses is left to the next owner, which finds it in the store or has it delivered again.
        let has_acknowledged = self.acks.is_empty() || self.outbox.has_refused_dead();
        let has_answered = self.inbox.is_empty() && has_acknowledged && self.answering == 0;
        let has_published = self.outbox.is_at_rest() && self.recovering.is_empty();
        if self.draining && self.is_idle() && has_answered && has_published {
            let waiters = self.pass_waiters_on();
            if waiters.is_empty() {
                effects.push(Effect::Drained);
            } else {
                self.answering += 1;
                effects.push(Effect::Publish { ticket: Ticket::Answers, batch: waiters });
            }
        }
    }
}

#[cfg(test)]
mod test;
