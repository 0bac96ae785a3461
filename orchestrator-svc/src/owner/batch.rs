//! A batch: its items become inboxes, the inboxes become turns, the turns become one commit.

use std::collections::{BTreeMap, BTreeSet};

use hashlink::{LinkedHashMap, linked_hash_map::Entry};
use warren_broker::{Begin, Delivery, Heartbeat, Publication};
use warren_engine::{Live, Programs};
use warren_model::{
    AnswerTo, AnswerWhen, Event, Failure, InboxMessage, InstanceId, MessageId, Outcome, TaskEnded, TurnRecord, code,
};
use warren_service::traces::Span;
use warren_store::{CommandRow, Commit, Loaded, LoadedInstance, OutboxEntry};

use super::{
    Effect, Owner,
    cache::Slot,
    gather::{Gathered, Item},
    traces::Traced,
};

/// A message for an instance, and what hangs on it.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) message: InboxMessage,
    pub(super) origin: Origin,
}

/// Where a message came from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A client, who wants to know.
    Command { id: MessageId, answer_to: Option<AnswerTo>, when: AnswerWhen, delivery: Box<Delivery> },
    /// The wheel.
    Timer,
    /// A worker or another partition.
    Message,
}

/// A batch in the making.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) commit: Commit,
    /// Inboxes, in the order in which their instances were first named.
    inboxes: LinkedHashMap<InstanceId, Vec<Arrival>>,
    /// Commands of this batch, so that a duplicate in it is known.
    pub(super) seen: BTreeSet<MessageId>,
    pub(super) entries: Vec<OutboxEntry>,
    /// Messages of the outbox, each with the entry it belongs to.
    pub(super) tracked: Vec<(usize, Publication)>,
    pub(super) answers: Vec<Publication>,
    pub(super) dead: Vec<Publication>,
    pub(super) touched: Vec<InstanceId>,
    /// Commands that were answered before.
    pub(super) known: BTreeMap<MessageId, CommandRow>,
    /// Workers' questions, answered after the turns.
    questions: Vec<Begin>,
    /// Workers' words that they have begun, judged after the turns.
    heartbeats: Vec<Heartbeat>,
    /// Spans that end with this batch.
    pub(super) spans: Vec<Span>,
    /// For each instance of which this batch holds messages before its turn: the position of the first.
    pub(super) held_from: BTreeMap<InstanceId, u64>,
}

impl Work {
    pub(super) fn new(commit: Commit) -> Self {
        Self {
            commit,
            inboxes: LinkedHashMap::new(),
            seen: BTreeSet::new(),
            entries: Vec::new(),
            tracked: Vec::new(),
            answers: Vec::new(),
            dead: Vec::new(),
            touched: Vec::new(),
            known: BTreeMap::new(),
            questions: Vec::new(),
            heartbeats: Vec::new(),
            spans: Vec::new(),
            held_from: BTreeMap::new(),
        }
    }

    /// Puts a message into its instance's inbox.
    pub(super) fn push(&mut self, instance: &InstanceId, message: InboxMessage, origin: Origin) {
        self.inbox(instance).push(Arrival { message, origin });
    }

    fn inbox(&mut self, instance: &InstanceId) -> &mut Vec<Arrival> {
        // Not `or_insert_with`, which would move one that is there behind the others.
        match self.inboxes.entry(instance.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Vec::new()),
        }
    }
}

impl<P: Programs> Owner<P> {
    /// Takes what was read, and runs the batch that waited for it.
    pub(super) fn loaded(&mut self, loaded: Loaded, effects: &mut Vec<Effect>) {
        let Some(mut gathered) = self.loading.take() else { return };
        for instance in loaded.instances {
            let resumed = gathered.resumed.contains(&instance.id);
            let id = instance.id.clone();
            let redriven = self.redriven(&instance, &gathered);
            gathered.redriven.extend(redriven);
            let slot = self.restore(instance, resumed);
            if let Some(live) = &slot.live {
                self.parked.note(&live.instance.record);
            }
            self.cache.insert(&id, slot);
        }
        gathered.known.extend(loaded.commands.into_iter().map(|row| (row.id.clone(), row)));
        self.run(gathered, effects);
    }

    fn restore(&mut self, loaded: LoadedInstance, resumed: bool) -> Slot {
        let LoadedInstance { id, record, turns, pending, next_position } = loaded;
        let (positions, pending) = pending.into_iter().map(|row| (row.position, row.message)).unzip();
        let mut slot = Slot { pending, positions, next_position, ..Slot::default() };
        if let Err(why) = &turns {
            tracing::error!(partition = %self.me, instance = %id, %why, "instance can't be read and waits");
            slot.unreadable = Some(why.clone());
        }
        if let Some(why) = self.poison.unwritable(&id).filter(|_| !resumed) {
            slot.unreadable = Some(why.to_owned());
            return slot;
        }
        let Some(mut record) = record else { return slot };
        slot.stored.clone_from(&record.condition);
        if !record.status.is_terminal()
            && let Some(quarantine) = self.poison.quarantine(&id).filter(|_| !resumed)
        {
            tracing::error!(partition = %self.me, instance = %id, reason = quarantine.message, "instance is quarantined");
            record.condition = Some(quarantine); // so that it is not even replayed
        }
        slot.live = Some(match turns {
            Ok(turns) => {
                slot.outcome = turns.last().and_then(outcome_of);
                if self.settings.traces && !record.status.is_terminal() {
                    slot.traced = Traced::restore(record.execution, turns.iter().map(|turn| &*turn.events));
                }
                if !turns.is_empty() && record.condition.is_none() && !record.status.is_terminal() {
                    self.counts.has_replayed(turns.iter().map(|turn| turn.events.len()).sum());
                }
                Live::load(record, &turns, &self.programs, &self.settings.limits, resumed)
            }
            Err(_) if record.status.is_terminal() => {
                Live::load(record, &[], &self.programs, &self.settings.limits, resumed)
            }
            Err(why) => Live::corrupt(record, format!("{why}; mend or restore the row, then resume the instance")),
        });
        slot
    }

    /// Runs every turn of a batch and sends its commit on its way.
    pub(super) fn run(&mut self, gathered: Gathered, effects: &mut Vec<Effect>) {
        self.has_run = true;
        let mut work = Work::new(self.begin_commit());
        work.answers = gathered.answers;
        work.dead = gathered.dead;
        work.known = gathered.known;
        work.commit.suspects_done = self.absolve(&gathered.items, &gathered.resumed);
        let messages = gathered.items.len();
        for item in gathered.items {
            work.touched.push(item.instance().clone());
            self.offer(item, &mut work);
        }
        self.counts.batches.push((messages, work.inboxes.len()));
        for (id, arrivals) in std::mem::take(&mut work.inboxes) {
            self.turn(&id, arrivals, &mut work);
        }
        for redriven in gathered.redriven {
            self.redrive(redriven, &mut work);
        }
        for heartbeat in std::mem::take(&mut work.heartbeats) {
            self.begin_run(&heartbeat, &mut work);
        }
        for key in gathered.noted {
            self.task_notes.write(&key, &mut work);
        }
        for question in std::mem::take(&mut work.questions) {
            self.answer_begin(&question, &mut work);
        }
        self.launch(work, gathered.tag, effects);
    }

    fn offer(&mut self, item: Item, work: &mut Work) {
        match item {
            Item::Command(envelope, delivery) => self.command(*envelope, delivery, work),
            Item::Begin(question) => work.questions.push(question),
            Item::Heartbeat(heartbeat) => work.heartbeats.push(*heartbeat),
            Item::Partition(message) => self.partition_message(message, work),
            Item::Reply { instance, ended } => {
                let ended = self.with_progress(&instance, ended);
                let outcome = self.settings.limits.bound("the result", ended.outcome);
                let ended = TaskEnded { outcome, ..ended };
                if self.trouble(&instance).is_some() {
                    self.hold(&instance, InboxMessage::Task(ended), None, work);
                } else if self.is_alive(&instance) {
                    work.push(&instance, InboxMessage::Task(ended), Origin::Message);
                } else {
                    tracing::debug!(%instance, task = %ended.task, "reply for an instance that has ended or never was, dropped");
                }
            }
            Item::Timer(row) => {
                let message = InboxMessage::Timer { execution: row.execution, id: row.id };
                if self.task_notes.has_begun(&row.instance, row.execution, row.id) {
                    work.commit.timers_done.push((row.instance, row.id)); // a worker has begun the task in time
                } else if self.trouble(&row.instance).is_some() {
                    self.hold(&row.instance, message, None, work);
                    work.commit.timers_done.push((row.instance, row.id));
                } else {
                    work.push(&row.instance, message, Origin::Timer);
                }
            }
            Item::Ready(instance) => drop(work.inbox(&instance)),
            Item::Again { instance, words } => self.send_again(&instance, words, work),
            Item::Outlived { instance, execution } => self.outlived(&instance, execution, work),
        }
    }

    /// Returns whether somebody has seen the instance and it has not ended.
    pub(super) fn is_alive(&self, instance: &InstanceId) -> bool {
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        live.is_some_and(|live| !live.instance.record.status.is_terminal())
    }
}

/// Returns how the execution ended, if the turn ended it.
pub(super) fn outcome_of(turn: &TurnRecord) -> Option<Outcome> {
    turn.events.iter().rev().find_map(ended_by)
}

pub(super) fn ended_by(event: &Event) -> Option<Outcome> {
    if let Event::ExecutionCompleted(completed) = event {
        return Some(completed.outcome.clone());
    }
    if let Event::ExecutionTerminated(terminated) = event {
        let reason = terminated.reason.clone().unwrap_or_else(|| "terminated".into());
        return Some(Err(Failure::permanent(code::TERMINATED, reason)));
    }
    None
}
