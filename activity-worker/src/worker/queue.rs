//! The queues that a worker serves: who waits for a slot, whose turn it is, and what is unacknowledged.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use warren_model::{Payload, Priority};

use super::{
    Effect, ItemId, QueueId, Worker,
    item::{Run, Stage},
    turns::Turns,
};

/// A queue that a worker serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its name, without the hub's prefix.
    pub name: String,
    /// Whether its turn comes before or after others'.
    pub priority: Priority,
    /// How many of it run at a time.
    pub limit: Option<u16>,
    /// How many of it begin in a minute.
    pub per_minute: Option<u32>,
}

impl<T: Into<String>> From<T> for Served {
    fn from(name: T) -> Self {
        Self { name: name.into(), priority: Priority::Normal, limit: None, per_minute: None }
    }
}

/// One queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// Its name, without the hub's prefix.
    pub(super) name: String,
    priority: Priority,
    /// How many of it run at a time.
    limit: Option<u16>,
    rate: Option<Rate>,
    /// Whether it is consumed only once a slot is free.
    pub(super) is_paused: bool,
    /// In order of arrival.
    pub(super) waiting: VecDeque<ItemId>,
    /// The tags of this channel that are neither acknowledged nor given back.
    pub(super) unacked: BTreeSet<u64>,
}

/// All queues.
#[derive(Debug)]
pub(super) struct Queues {
    all: Vec<Queue>,
    turns: Turns,
}

impl Queues {
    pub(super) fn new(served: impl IntoIterator<Item = Served>) -> Self {
        let queue = |Served { name, priority, limit, per_minute }| {
            let rate = per_minute.map(Rate::new);
            Queue { name, priority, limit, rate, is_paused: false, waiting: VecDeque::new(), unacked: BTreeSet::new() }
        };
        Self { all: served.into_iter().map(queue).collect(), turns: Turns::default() }
    }

    pub(super) fn get(&mut self, id: QueueId) -> Option<&mut Queue> {
        self.all.get_mut(id.0)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = QueueId> + use<> {
        (0..self.all.len()).map(QueueId)
    }

    /// Takes the first item of the queue whose turn it is, of those that have one and may begin it. `begun` says how many of
    /// a queue are begun and not over.
    fn take_next(&mut self, now: Duration, begun: impl Fn(QueueId) -> usize) -> Option<ItemId> {
        let ready = self.all.iter_mut().enumerate().filter_map(|(at, queue)| {
            let is_ready = queue.may_begin(now, || begun(QueueId(at)));
            is_ready.then_some((at, queue.priority))
        });
        let queue = self.turns.take(ready).and_then(|at| self.all.get_mut(at))?;
        queue.rate.iter_mut().for_each(Rate::take);
        queue.waiting.pop_front()
    }
}

impl Queue {
    /// Returns whether what runs may be acknowledged: with a limit the broker must not send another in its place.
    pub(super) fn lets_go(&self) -> bool {
        self.limit.is_none() && self.rate.is_none()
    }

    fn may_begin(&mut self, now: Duration, begun: impl Fn() -> usize) -> bool {
        let has_one = !self.waiting.is_empty() && self.rate.as_mut().is_none_or(|rate| rate.has_one(now));
        has_one && self.limit.is_none_or(|limit| begun() < limit.into())
    }
}

/// How often something may begin: a bucket that fills evenly, and holds what a tick of the clock may have missed.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    holds: f64,
    tokens: f64,
    at: Duration,
}

impl Rate {
    fn new(per_minute: u32) -> Self {
        let per_second = f64::from(per_minute) / 60.0;
        let holds = (per_second / 10.0).max(1.0);
        Self { per_second, holds, tokens: 1.0, at: Duration::ZERO }
    }

    fn has_one(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.holds);
        self.at = now;
        self.tokens >= 1.0
    }

    fn take(&mut self) {
        self.tokens -= 1.0;
    }
}

impl Worker {
    /// Fills the free slots.
    pub(super) fn start(&mut self, effects: &mut Vec<Effect>) {
        self.start_suspect(effects);
        while self.is_serving() && self.has_room() && !self.suspects.keep_others_out(self.now) {
            let items = &self.items;
            let begun = |queue| items.values().filter(|item| item.queue == queue && item.has_begun()).count();
            let Some(id) = self.queues.take_next(self.now, begun) else { return };
            match self.items.get(&id).map(|item| &item.stage) {
                Some(Stage::Waiting(waiting)) if waiting.must_ask => self.ask(id, false, effects),
                Some(Stage::Waiting(_)) => self.run(id, effects),
                Some(
                    Stage::Asking(_)
                    | Stage::Running(_)
                    | Stage::HandingOver(_)
                    | Stage::Replying(_)
                    | Stage::Burying(_),
                )
                | None => {}
            }
        }
    }

    /// Hands an item to its activity.
    pub(super) fn run(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let Some(item) = self.items.get_mut(&id) else { return };
        let waiting = match &mut item.stage {
            Stage::Waiting(waiting) => waiting,
            Stage::Asking(asking) => {
                self.asking -= 1;
                item.deliveries.append(&mut asking.later);
                &mut asking.waiting
            }
            Stage::Running(_) | Stage::HandingOver(_) | Stage::Replying(_) | Stage::Burying(_) => return,
        };
        let (mut work, context, has_owner) = (waiting.work.clone(), waiting.context.clone(), waiting.has_owner);
        let input = std::mem::replace(&mut work.input, Payload::null());
        let (activity, traceparent) = (work.activity.clone(), work.traceparent.clone());
        item.stage = Stage::Running(Box::new(Run::new(work, has_owner, self.now)));
        self.running += 1;
        effects.push(Effect::Run { item: id, activity, context, input, traceparent });
        self.has_begun(id, effects);
    }

    /// A slot is free, and not too many replies are unconfirmed.
    ///
    /// While no channel is lost, the prefetch alone keeps the second: each reply holds a delivery. Replies whose channel
    /// was lost hold none; without this bound they would pile up while the broker comes and goes.
    pub(super) fn has_room(&self) -> bool {
        let (slots, taken) = (usize::from(self.limits.concurrency.get()), self.running + self.asking);
        taken < slots && taken + self.replying < slots * self.queues.all.len()
    }
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod test;
