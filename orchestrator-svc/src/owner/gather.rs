//! What goes into the next batch, and what must be read for it.

use std::collections::{BTreeMap, BTreeSet};

use warren_broker::{Begin, Delivery, Envelope, Heartbeat, Inbound, Publication};
use warren_engine::Programs;
use warren_model::{ChildStart, Command, ExecutionId, IfExists, InstanceId, MessageId, PartitionMessage, TaskEnded};
use warren_store::{CommandRow, Load, TimerRow};

use super::{Owner, begin::Redriven, notes::TaskKey};

/// A batch is full once its messages have so many bytes: all of them are one transaction.
const BATCH_BYTES: usize = 32 << 20;

/// A batch before its turns.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) items: Vec<Item>,
    /// The last delivery in it.
    pub(super) tag: Option<u64>,
    /// What nobody can understand, on its way to the dead queue.
    pub(super) dead: Vec<Publication>,
    /// Word to the senders of those.
    pub(super) answers: Vec<Publication>,
    /// What must be read first.
    pub(super) load: Load,
    /// Commands that were answered before.
    pub(super) known: BTreeMap<MessageId, CommandRow>,
    /// Parked instances that a command lets try again.
    pub(super) resumed: BTreeSet<InstanceId>,
    /// Tasks that run, and whose workers are silent.
    pub(super) lost_runs: BTreeSet<TaskKey>,
    /// Tasks that are sent again: quarantined ones of resumed instances, and those.
    pub(super) redriven: Vec<Redriven>,
    /// Tasks whose notes are to be written.
    pub(super) noted: Vec<TaskKey>,
    /// Whether a delivery has come before.
    pub(super) has_redelivered: bool,
}

/// One thing to handle.
#[derive(Debug)]
pub(super) enum Item {
    Command(Box<Envelope>, Box<Delivery>),
    Reply {
        instance: InstanceId,
        ended: TaskEnded,
    },
    /// A worker's question.
    Begin(Begin),
    /// A worker has begun a task.
    Heartbeat(Box<Heartbeat>),
    Partition(PartitionMessage),
    Timer(TimerRow),
    /// An instance with pending messages that may be able to run.
    Ready(InstanceId),
    /// A parent whose children's starts are sent again.
    Again {
        instance: InstanceId,
        words: Vec<PartitionMessage>,
    },
    /// An execution that ended long ago.
    Outlived {
        instance: InstanceId,
        execution: ExecutionId,
    },
}

impl<P: Programs> Owner<P> {
    /// Takes what has arrived, what is due and what is ready, up to a batch; `None` if there is nothing. A flood of one of
    /// them never keeps the others out.
    pub(super) fn gather(&mut self) -> Option<Gathered> {
        let mut gathered = Gathered::default();
        if self.poison.wants_one_at_a_time() {
            self.take_one(&mut gathered);
        } else {
            self.take_batch(&mut gathered);
        }
        if gathered.items.is_empty() && gathered.tag.is_none() {
            return None;
        }
        self.look_up(&mut gathered);
        Some(gathered)
    }

    /// Notes what must be read: instances that are not in memory, and commands; but of a start whose ids are taken for new
    /// nothing, unless the batch has more for its instance.
    fn look_up(&mut self, gathered: &mut Gathered) {
        let Gathered { items, load, known, .. } = gathered;
        let (mut wanted, mut begun) = (BTreeSet::new(), BTreeMap::new());
        for item in items.iter() {
            let id = item.instance();
            let command = if let Item::Command(envelope, delivery) = item { Some((envelope, delivery)) } else { None };
            if let Some((envelope, delivery)) = command
                && !begun.contains_key(id)
                && self.believes(envelope, delivery)
            {
                begun.insert(id, &envelope.id);
                continue;
            }
            if self.cache.contains(id) {
                self.counts.cached += 1;
            } else if wanted.insert(id) {
                load.instances.push(id.clone());
            }
            if let Some((envelope, _)) = command
                && envelope.command != Command::Wait
                && !known.contains_key(&envelope.id)
            {
                load.commands.push(envelope.id.clone());
            }
        }
        let looked_for = begun.into_iter().filter(|(id, _)| wanted.contains(id));
        load.commands.extend(looked_for.map(|(_, start)| start.clone()));
        self.counts.read += load.instances.len() as u64;
    }

    /// Returns whether a command is a start whose ids its sender vouches for, and nothing speaks against it. A session that
    /// is young believes nobody: what comes then may have been seen by the one before, and if a sender that vouched wrongly
    /// has ended that one, others must have time to get on.
    fn believes(&self, envelope: &Envelope, delivery: &Delivery) -> bool {
        let is_new = matches!(&envelope.command, Command::Start(start) if start.if_exists == IfExists::Fail);
        is_new
            && envelope.is_fresh
            && !delivery.redelivered
            && self.now >= self.believes_from
            && !self.poison.suspects(&envelope.instance)
            && !self.cache.contains(&envelope.instance)
    }

    fn take_batch(&mut self, gathered: &mut Gathered) {
        let batch = self.settings.batch;
        if !self.draining {
            self.end_runs(batch.div_ceil(3), gathered);
        }
        let mut others = self.due(batch.div_ceil(3));
        others.extend(self.ready(batch.div_ceil(3)));
        others.extend(self.chores(batch.div_ceil(3)));
        self.arrived(gathered, (batch - others.len().min(batch)).max(1));
        gathered.items.extend(others);
        gathered.items.extend(self.due(batch.saturating_sub(gathered.items.len())));
        gathered.items.extend(self.ready(batch.saturating_sub(gathered.items.len())));
    }

    /// Takes what concerns one instance.
    fn take_one(&mut self, gathered: &mut Gathered) {
        gathered.items.extend(self.ready(1));
        if gathered.items.is_empty() {
            gathered.items.extend(self.due(1));
        }
        if gathered.items.is_empty() {
            self.arrived(gathered, 1);
        }
        if gathered.items.is_empty() && gathered.tag.is_none() {
            gathered.items.extend(self.chores(1));
        }
    }

    /// Takes deliveries, in order.
    fn arrived(&mut self, gathered: &mut Gathered, max: usize) {
        let mut bytes = 0;
        while gathered.items.len() < max && bytes < BATCH_BYTES {
            let Some(delivery) = self.inbox.pop_front() else { break };
            let (tag, is_redelivered) = (delivery.tag, delivery.redelivered);
            bytes += delivery.message.body.len();
            match self.codec.decode_control(&delivery) {
                Err(malformed) => self.bury(gathered, &delivery, malformed.reason),
                Ok(inbound) if self.must_wait(&inbound) => {
                    self.inbox.push_front(delivery);
                    break;
                }
                Ok(inbound) => self.take(gathered, inbound, &delivery),
            }
            gathered.has_redelivered |= is_redelivered;
            gathered.tag = Some(tag);
        }
    }

    /// Takes timers that are due; none while the owner drains.
    fn due(&mut self, max: usize) -> Vec<Item> {
        let max = if self.draining { 0 } else { max };
        let due: Vec<TimerRow> = std::iter::from_fn(|| self.wheel.pop(self.now)).take(max).collect();
        self.counts.timers.extend(due.iter().map(|timer| self.now.duration_since(timer.fire_at)));
        due.into_iter().map(Item::Timer).collect()
    }

    /// Takes instances that may be able to go on; none while the owner drains.
    fn ready(&mut self, max: usize) -> Vec<Item> {
        let max = if self.draining { 0 } else { max };
        std::iter::from_fn(|| self.ready.pop()).take(max).map(Item::Ready).collect()
    }

    /// Takes what is to be done besides; nothing while the owner drains.
    fn chores(&mut self, max: usize) -> Vec<Item> {
        let count = if self.draining { 0 } else { self.chores.len().min(max) };
        self.chores.drain(..count).collect()
    }

    /// Returns whether a message must wait for a commit on its way: a resume loads its instance anew.
    fn must_wait(&self, inbound: &Inbound) -> bool {
        let parked = self.resume_of_parked(inbound).and_then(|instance| self.cache.get(instance));
        parked.is_some_and(|slot| slot.touched > self.committed)
    }

    fn resume_of_parked<'a>(&self, inbound: &'a Inbound) -> Option<&'a InstanceId> {
        let Inbound::Command(Envelope { command: Command::Resume { .. }, instance, .. }) = inbound else { return None };
        let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
        let is_parked = live.is_none_or(|live| live.instance.record.condition.is_some());
        (is_parked || self.task_notes.has_quarantined(instance)).then_some(instance)
    }

    fn take(&mut self, gathered: &mut Gathered, inbound: Inbound, delivery: &Delivery) {
        if let Some(instance) = self.resume_of_parked(&inbound) {
            self.cache.remove(instance);
            gathered.resumed.insert(instance.clone());
        }
        match inbound {
            Inbound::Command(envelope) => {
                if let Some((_, row)) = self.answered.get(&envelope.id) {
                    gathered.known.insert(envelope.id.clone(), row.clone());
                }
                gathered.items.push(Item::Command(Box::new(envelope), Box::new(delivery.clone())));
            }
            Inbound::Reply { instance, ended } => {
                self.has_replied(&instance, &ended);
                gathered.items.push(Item::Reply { instance, ended });
            }
            Inbound::Heartbeat(heartbeat) => self.heartbeat(heartbeat, gathered),
            Inbound::HandBack(word) => self.handed_back(word, gathered),
            Inbound::Redispatch(order) => self.order(order, gathered),
            Inbound::Begin(question) => gathered.items.push(Item::Begin(question)),
            Inbound::Taken { by, up_to } => self.heard(by, up_to),
            Inbound::Partition { source, sequence, .. } if self.links.is_taken(source, sequence) => {
                self.sent_again(source);
            }
            Inbound::Partition { source, sequence, message } => {
                for message in self.links.take(source, sequence, message) {
                    gathered.load.commands.extend(start_of(&message));
                    gathered.items.push(Item::Partition(message));
                }
            }
        }
    }
}

/// Returns by which the start of a child is known if the child was purged.
fn start_of(message: &PartitionMessage) -> Option<MessageId> {
    let PartitionMessage::ChildStart(start) = message else { return None };
    start.started.parent.as_ref().map(ChildStart::cause)
}

impl Item {
    pub(super) fn instance(&self) -> &InstanceId {
        match self {
            Self::Command(envelope, _) => &envelope.instance,
            Self::Reply { instance, .. }
            | Self::Ready(instance)
            | Self::Again { instance, .. }
            | Self::Outlived { instance, .. } => instance,
            Self::Begin(question) => &question.of.instance,
            Self::Heartbeat(heartbeat) => &heartbeat.of.instance,
            Self::Partition(message) => message.target(),
            Self::Timer(row) => &row.instance,
        }
    }
}
