//! Open work is sent again, under the tokens that it had: for a work queue that somebody purged, a broker that lost its
//! disk, a database that came back without its last commits. Safe at any time: workers and owners know it for the same.
//!
//! The owner goes through its instances that have not ended, a page at a time. What each waits for follows from its
//! history, without its program. Work items are published as they were; the start of a child is word to a partition,
//! so it gets a number behind all that its parent has sent before, in a commit. Nothing of an order is stored: after
//! a failover whoever asked asks again, and it begins anew.

use std::collections::VecDeque;

use jiff::SignedDuration;
use warren_broker::{Publication, Published, RedispatchOrder};
use warren_engine::{Programs, waiting};
use warren_model::{
    AnswerTo, InstanceId, MessageId, Outgoing, PartitionMessage, Redispatch, Redispatched, Refusal, RefusalCode,
    Timestamp,
};
use warren_store::{LoadedInstance, Sweep, Swept};

use super::{
    Effect, Owner, Ticket,
    batch::Work,
    gather::{Gathered, Item},
};

/// Most orders that wait for the one before: each is a walk through the whole partition.
const ORDERS_MAX: usize = 20;
/// How many answers are remembered for those who did not get theirs and ask again.
const ANSWERS_MAX: usize = 100;
/// The pause before what the broker did not take is published again.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// Orders to send open work again, one after the other.
#[derive(Debug, Default)]
pub(super) struct Redispatching {
    orders: VecDeque<Order>,
    stage: Stage,
    done: VecDeque<(MessageId, Redispatched)>,
    /// The last commit that the order rests upon: it holds starts of children, or why something was not sent again.
    written_in: u64,
}

#[derive(Debug)]
struct Order {
    id: MessageId,
    what: Redispatch,
    answer_to: Option<AnswerTo>,
    sum: Redispatched,
}

/// How far the first order is.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Idle,
    Reading,
    /// A page is being sent.
    Sending {
        left: Vec<Publication>,
        next: Option<InstanceId>,
        retry_at: Option<Timestamp>,
    },
}

impl<P: Programs> Owner<P> {
    /// Takes an order, or answers it if it was carried out.
    pub(super) fn order(&mut self, order: RedispatchOrder, gathered: &mut Gathered) {
        let RedispatchOrder { id, what, answer_to } = order;
        let state = &mut self.redispatching;
        if let Some((_, sum)) = state.done.iter().find(|(known, _)| *known == id) {
            gathered.answers.extend(answer_to.map(|to| self.codec.redispatched(&to, sum)));
        } else if let Some(known) = state.orders.iter_mut().find(|known| known.id == id) {
            known.answer_to = answer_to;
        } else if state.orders.len() >= ORDERS_MAX {
            let message = format!("{ORDERS_MAX} redispatches wait already: ask again when they are done");
            let refusal = Err(Refusal { code: RefusalCode::TooLarge, message });
            gathered.answers.extend(answer_to.map(|to| self.codec.answer(&to, &refusal)));
        } else {
            tracing::info!(partition = %self.me, order = %id, queue = what.queue, "open work is to be sent again");
            state.orders.push_back(Order { id, what, answer_to, sum: Redispatched::default() });
        }
    }

    /// Goes on with the first order as far as that is possible now.
    pub(super) fn redispatch(&mut self, effects: &mut Vec<Effect>) {
        if self.draining {
            // Whoever asked asks the next owner.
            (self.redispatching.orders, self.redispatching.stage) = (VecDeque::new(), Stage::Idle);
        }
        let is_sent = self.chores.is_empty() && self.redispatching.written_in <= self.committed;
        let begins = matches!(self.redispatching.stage, Stage::Idle);
        if begins && self.redispatching.orders.front().is_some_and(|order| order.what == Redispatch::default()) {
            self.send_unheard(true, effects);
        }
        let state = &mut self.redispatching;
        let Some(order) = state.orders.front() else { return };
        let after = match &mut state.stage {
            Stage::Reading => return,
            Stage::Idle => None,
            Stage::Sending { left, retry_at, .. } if !left.is_empty() => {
                if retry_at.is_some_and(|at| at <= self.now) {
                    *retry_at = None;
                    effects.push(Effect::Publish { ticket: Ticket::Redispatch, batch: left.clone() });
                }
                return;
            }
            Stage::Sending { .. } if !is_sent => return,
            Stage::Sending { next: None, .. } => return self.finish_redispatch(effects),
            Stage::Sending { next, .. } => next.take(),
        };
        effects.push(Effect::Sweep(match &order.what.instance {
            Some(instance) => Sweep::One(instance.clone()),
            None => Sweep::Open { after },
        }));
        state.stage = Stage::Reading;
    }

    fn finish_redispatch(&mut self, effects: &mut Vec<Effect>) {
        let state = &mut self.redispatching;
        state.stage = Stage::Idle;
        let Some(Order { id, answer_to, sum, .. }) = state.orders.pop_front() else { return };
        tracing::info!(
            partition = %self.me, order = %id, instances = sum.instances, tasks = sum.tasks, children = sum.children,
            "open work was sent again"
        );
        state.done.push_back((id, sum));
        if state.done.len() > ANSWERS_MAX {
            state.done.pop_front();
        }
        if let Some(to) = answer_to {
            self.answering += 1;
            effects.push(Effect::Publish { ticket: Ticket::Answers, batch: vec![self.codec.redispatched(&to, &sum)] });
        }
        self.redispatch(effects);
    }

    /// Sends what the instances of a page wait for.
    pub(super) fn swept_for_redispatch(&mut self, swept: Swept, effects: &mut Vec<Effect>) {
        let (Stage::Reading, Some(order)) = (&self.redispatching.stage, self.redispatching.orders.front()) else {
            return;
        };
        let what = order.what.clone();
        let (mut left, mut sum) = (Vec::new(), Redispatched::default());
        for instance in swept.instances {
            let (id, open) = (instance.id.clone(), self.open_work(instance, &what));
            sum.instances += u64::from(!open.is_empty());
            let mut words = Vec::new();
            for message in open {
                match message {
                    Outgoing::ToPartition(word) => words.push(word),
                    Outgoing::WorkItem { .. } | Outgoing::Outcome { .. } => {
                        left.extend(self.codec.outgoing(&message, self.me, None));
                    }
                }
            }
            sum.children += words.len() as u64;
            if !words.is_empty() {
                self.chores.push_back(Item::Again { instance: id, words });
            }
        }
        if !left.is_empty() {
            effects.push(Effect::Publish { ticket: Ticket::Redispatch, batch: left.clone() });
        }
        let state = &mut self.redispatching;
        // What is waited for no more was left out: that is only true once it is written.
        state.written_in = self.number;
        state.orders.iter_mut().take(1).for_each(|order| order.sum += sum);
        state.stage = Stage::Sending { left, next: swept.next, retry_at: None };
    }

    /// Returns what an instance waits for of what is to be sent again.
    fn open_work(&mut self, instance: LoadedInstance, what: &Redispatch) -> Vec<Outgoing> {
        let LoadedInstance { id, record: Some(record), turns, .. } = instance else { return Vec::new() };
        let turns = match turns {
            Ok(turns) => turns,
            Err(why) => {
                tracing::warn!(partition = %self.me, instance = %id, %why, "what an instance waits for can't be read, nothing of it is sent again");
                return Vec::new();
            }
        };
        let age = i64::try_from(what.older_than_seconds).unwrap_or(i64::MAX);
        let before = self.now.saturating_sub(SignedDuration::from_secs(age)).unwrap_or(Timestamp::MIN);
        // What is in memory may know more than what was read, unless its history could not be read when it was loaded.
        let slot = self.cache.get(&id).filter(|slot| slot.unreadable.is_none());
        let live = slot.and_then(|slot| slot.live.as_ref());
        let is_wanted = |message: &Outgoing| match (message, &what.queue) {
            (Outgoing::WorkItem { task, .. }, Some(queue)) => task.queue() == queue,
            (Outgoing::ToPartition(_) | Outgoing::Outcome { .. }, Some(_)) => false,
            (_, None) => true,
        };
        let open = waiting(&record, &turns).into_iter().filter(|open| open.since <= before);
        // A quarantined task is sent again by a resume, when somebody has mended its cause.
        let open = open.map(|open| open.message).filter(is_wanted);
        let open = open.filter(|message| live.is_none_or(|live| live.instance.waits_for(message)));
        let (held, sent): (Vec<_>, Vec<_>) = open.partition(|message| self.task_notes.holds(message));
        held.iter().for_each(|message| self.task_notes.leave_out(message));
        sent
    }

    /// Sends starts of children again, those for which their parent still waits.
    pub(super) fn send_again(&mut self, instance: &InstanceId, words: Vec<PartitionMessage>, work: &mut Work) {
        for word in words {
            let live = self.cache.get(instance).and_then(|slot| slot.live.as_ref());
            if live.is_some_and(|live| live.instance.waits_for(&Outgoing::ToPartition(word.clone()))) {
                self.send(word, work);
                self.redispatching.written_in = work.commit.number;
            }
        }
    }

    /// Notes what became of a page's work items.
    pub(super) fn redispatch_published(&mut self, results: &[Published]) {
        let state = &mut self.redispatching;
        let (Stage::Sending { left, retry_at, .. }, Some(order)) = (&mut state.stage, state.orders.front_mut()) else {
            return;
        };
        let before = left.len();
        let mut results = results.iter();
        left.retain(|_| results.next() != Some(&Published::Confirmed));
        order.sum.tasks += (before - left.len()) as u64;
        *retry_at = (!left.is_empty()).then(|| self.now + RETRY_AFTER);
    }
}
