//! What an owner counts. Plain numbers, without a clock or a registry: whoever steps it takes them and passes them on.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use warren_engine::{Programs, Turn};
use warren_model::{Command, RefusalCode, Status};

use super::Owner;

/// How often something was, by a word that is one of few.
pub(crate) type Tally = BTreeMap<&'static str, u64>;

/// What has happened since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Of each batch that ran: its messages, timers and other items, and its instances.
    pub(crate) batches: Vec<(usize, usize)>,
    /// Turns, by what became of them.
    pub(crate) turns: Tally,
    /// Instances that began, by orchestrator.
    pub(crate) started: BTreeMap<String, u64>,
    /// Instances that ended, by orchestrator and status.
    pub(crate) ended: BTreeMap<(String, &'static str), u64>,
    /// Commands, by kind.
    pub(crate) commands: Tally,
    /// Commands that had been answered before.
    pub(crate) repeated: u64,
    /// Refusals, by code.
    pub(crate) refused: Tally,
    /// Messages for the dead queue, by the kind of reason.
    pub(crate) dead: Tally,
    /// Instances that were in memory when a batch named them, …
    pub(crate) cached: u64,
    /// … and that had to be read.
    pub(crate) read: u64,
    /// Instances that were brought back by replay, and the events of that.
    pub(crate) replays: u64,
    pub(crate) replayed_events: u64,
    /// Runs of activities that owners ended, by why.
    pub(crate) runs_ended: Tally,
    /// How late each timer came that was due.
    pub(crate) timers: Vec<SignedDuration>,
}

/// How much an owner holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Instances in memory.
    pub(crate) cached: usize,
    /// The bytes that they take, as estimated.
    pub(crate) cached_bytes: u64,
    /// Groups of messages that the broker has not confirmed.
    pub(crate) unconfirmed: usize,
    /// Rows of the outbox with words that their targets have yet to take.
    pub(crate) unheard: usize,
    /// Tasks that run, as their workers have said, or that something else completes.
    pub(crate) runs: usize,
}

impl Counts {
    /// Takes what was counted, if anything was.
    pub(crate) fn take(&mut self) -> Option<Self> {
        let counts = std::mem::take(self);
        (counts != Self::default()).then_some(counts)
    }

    pub(super) fn has_turned(&mut self, turn: &Turn) {
        let result = match (turn.is_undone, &turn.recorded) {
            (true, _) => "undone",
            (false, Some(_)) => "recorded",
            (false, None) => "idle",
        };
        *self.turns.entry(result).or_default() += 1;
    }

    pub(super) fn has_started(&mut self, orchestrator: &str) {
        match self.started.get_mut(orchestrator) {
            Some(count) => *count += 1,
            None => drop(self.started.insert(orchestrator.into(), 1)),
        }
    }

    pub(super) fn has_ended(&mut self, orchestrator: String, status: Status) {
        *self.ended.entry((orchestrator, status.as_str())).or_default() += 1;
    }

    pub(super) fn has_commanded(&mut self, command: &Command) {
        *self.commands.entry(kind(command)).or_default() += 1;
    }

    pub(super) fn has_refused(&mut self, code: RefusalCode) {
        *self.refused.entry(word(code)).or_default() += 1;
    }

    pub(super) fn has_buried(&mut self, reason: &'static str) {
        *self.dead.entry(reason).or_default() += 1;
    }

    /// A run has ended without a reply.
    pub(super) fn has_ended_run(&mut self, why: &'static str) {
        *self.runs_ended.entry(why).or_default() += 1;
    }

    pub(super) fn has_replayed(&mut self, events: usize) {
        self.replays += 1;
        self.replayed_events += events as u64;
    }
}

impl<P: Programs> Owner<P> {
    /// Returns how many instances are in memory.
    pub fn cached_instances(&self) -> usize {
        self.cache.len()
    }

    /// Takes what has been counted since the last time, if there is anything.
    pub(crate) fn take_counts(&mut self) -> Option<Counts> {
        self.counts.take()
    }

    /// Returns how much is held.
    pub(crate) fn levels(&self) -> Levels {
        Levels {
            cached: self.cache.len(),
            cached_bytes: self.cache.bytes(),
            unconfirmed: self.outbox.unconfirmed(),
            unheard: self.outbox.unheard_rows(),
            runs: self.task_notes.runs(),
        }
    }

    /// Returns how many instances can't go on, by their condition.
    pub(crate) fn parked(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.parked.counts()
    }
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Start(_) => "start",
        Command::Raise { .. } => "raise",
        Command::Terminate { .. } => "terminate",
        Command::Suspend { .. } => "suspend",
        Command::Resume { .. } => "resume",
        Command::Complete { .. } => "complete",
        Command::Purge { .. } => "purge",
        Command::Wait => "wait",
    }
}

fn word(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Exists => "exists",
        RefusalCode::NotFound => "not_found",
        RefusalCode::Gone => "gone",
        RefusalCode::Running => "running",
        RefusalCode::Invalid => "invalid",
        RefusalCode::Unreadable => "unreadable",
        RefusalCode::TooLarge => "too_large",
    }
}
