//! The lanes that a worker serves: who waits for a slot, whose turn it is, what is unacknowledged, and what is counted
//! together.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Range,
    time::Duration,
};

use warren_broker::Lane;
use warren_model::Priority;

use super::{
    ItemId, QueueId, ServedId,
    baton::Baton,
    bound::Count,
    served::Served,
    turns::{Ready, Turns},
};

/// One lane.
#[derive(Debug)]
pub(super) struct Queue {
    /// Its name, without the hub's prefix.
    pub(super) name: String,
    priority: Priority,
    /// Whose lane it is.
    whole: ServedId,
    /// With what its items are counted: first with those of the whole queue, then with those of its number.
    counts: Vec<usize>,
    /// Whether it is not consumed for now.
    pub(super) is_paused: bool,
    /// In order of arrival.
    pub(super) waiting: VecDeque<ItemId>,
    /// The tags of this channel that are neither acknowledged nor given back.
    pub(super) unacked: BTreeSet<u64>,
    /// The tags that are done with and wait for an older one to be acknowledged together, and since when.
    pub(super) done: BTreeMap<u64, Duration>,
}

/// A queue with all its lanes.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) name: String,
    lanes: Range<usize>,
    /// Nothing of it begins unless the worker holds this.
    pub(super) baton: Option<Baton>,
    count: Option<usize>,
}

/// All queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    all: Vec<Queue>,
    wholes: Vec<Whole>,
    counts: Vec<Count>,
    turns: Turns,
}

impl Queues {
    pub(super) fn new(served: impl IntoIterator<Item = Served>) -> Self {
        let mut queues = Self::default();
        served.into_iter().for_each(|served| queues.add(served));
        queues
    }

    fn add(&mut self, Served { name, lanes, whole, each, has_baton }: Served) {
        let (id, begin) = (ServedId(self.wholes.len()), self.all.len());
        let count = (whole.holds() || has_baton).then(|| self.count(Count::new(whole)));
        let mut of_number = BTreeMap::new();
        for Lane { name, priority, number } in lanes {
            let with_number =
                each.holds().then(|| *of_number.entry(number).or_insert_with(|| self.count(Count::new(each))));
            self.all.push(Queue {
                name,
                priority,
                whole: id,
                counts: count.into_iter().chain(with_number).collect(),
                is_paused: has_baton,
                waiting: VecDeque::new(),
                unacked: BTreeSet::new(),
                done: BTreeMap::new(),
            });
        }
        let baton = has_baton.then_some(Baton::Asked);
        self.wholes.push(Whole { name, lanes: begin..self.all.len(), baton, count });
    }

    fn count(&mut self, count: Count) -> usize {
        self.counts.push(count);
        self.counts.len() - 1
    }

    pub(super) fn get(&mut self, id: QueueId) -> Option<&mut Queue> {
        self.all.get_mut(id.0)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = QueueId> + use<> {
        (0..self.all.len()).map(QueueId)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the queues that have a baton.
    pub(super) fn with_baton(&self) -> impl Iterator<Item = (ServedId, &Whole, Baton)> {
        self.wholes.iter().enumerate().filter_map(|(at, whole)| Some((ServedId(at), whole, whole.baton?)))
    }

    pub(super) fn whole(&mut self, id: ServedId) -> Option<&mut Whole> {
        self.wholes.get_mut(id.0)
    }

    /// Returns the lanes of a queue.
    pub(super) fn lanes(&self, id: ServedId) -> impl Iterator<Item = QueueId> + use<> {
        self.wholes.get(id.0).map(|whole| whole.lanes.clone()).unwrap_or_default().map(QueueId)
    }

    /// Lets an item wait for its turn, after the others of its queue.
    pub(super) fn wait(&mut self, id: QueueId, item: ItemId) {
        self.list(id).into_iter().for_each(|queue| queue.waiting.push_back(item));
    }

    /// Lets an item wait for its turn, before the others of its queue.
    pub(super) fn wait_first(&mut self, id: QueueId, item: ItemId) {
        self.list(id).into_iter().for_each(|queue| queue.waiting.push_front(item));
    }

    fn list(&mut self, QueueId(at): QueueId) -> Option<&mut Queue> {
        let queue = self.all.get_mut(at)?;
        self.turns.list(at, queue.priority);
        for count in &queue.counts {
            self.counts[*count].turns.list(at, queue.priority);
        }
        Some(queue)
    }

    /// Takes the first item of the lane whose turn it is, of those that have one and may begin it.
    ///
    /// A lane that is counted with others has its turn among those: what else the worker begins meanwhile must not move
    /// their turns on. So the turns over all lanes say only that one of those is next.
    pub(super) fn take_next(&mut self, now: Duration) -> Option<ItemId> {
        let mut turns = std::mem::take(&mut self.turns);
        let taken = turns.take(|at| self.ready(at, now));
        self.turns = turns;
        let mut at = taken?;
        for level in 0..self.all[at].counts.len() {
            let count = self.all[at].counts[level];
            let mut turns = std::mem::take(&mut self.counts[count].turns);
            at = turns.take(|at| self.ready(at, now)).unwrap_or(at);
            self.counts[count].turns = turns;
        }
        let queue = &mut self.all[at];
        queue.counts.iter().for_each(|count| self.counts[*count].spend(now));
        queue.waiting.pop_front()
    }

    fn ready(&self, at: usize, now: Duration) -> Ready {
        match self.all[at].waiting.is_empty() {
            true => Ready::Empty,
            false if self.may_begin(QueueId(at), now) => Ready::Yes,
            false => Ready::NotNow,
        }
    }

    /// Returns whether what is counted lets an item of a lane begin.
    pub(super) fn may_begin(&self, QueueId(at): QueueId, now: Duration) -> bool {
        let Some(Queue { counts, whole, .. }) = self.all.get(at).filter(|queue| !queue.counts.is_empty()) else {
            return true;
        };
        let baton = self.wholes[whole.0].baton;
        baton.is_none_or(|baton| baton == Baton::Held) && counts.iter().all(|count| self.counts[*count].has_room(now))
    }

    /// Counts an item as begun.
    pub(super) fn begin(&mut self, QueueId(at): QueueId) {
        self.all.get(at).into_iter().flat_map(|queue| &queue.counts).for_each(|count| self.counts[*count].begun += 1);
    }

    /// Counts an item that was begun as over.
    pub(super) fn end(&mut self, QueueId(at): QueueId) {
        self.all.get(at).into_iter().flat_map(|queue| &queue.counts).for_each(|count| self.counts[*count].begun -= 1);
    }

    /// Returns how many of a queue are begun and not over; 0 if they are not counted.
    pub(super) fn begun(&self, whole: &Whole) -> usize {
        whole.count.map_or(0, |count| self.counts[count].begun)
    }

    /// Returns whether a baton says who consumes a lane.
    pub(super) fn has_baton(&self, QueueId(at): QueueId) -> bool {
        self.all.get(at).is_some_and(|queue| self.wholes[queue.whole.0].baton.is_some())
    }

    /// Returns whether nothing runs of what is counted with a lane's items, and it has no baton to say who consumes it.
    pub(super) fn is_idle(&self, id: QueueId) -> bool {
        let has_none = |queue: &Queue| queue.counts.iter().all(|count| self.counts[*count].begun == 0);
        !self.has_baton(id) && self.all.get(id.0).is_some_and(has_none)
    }
}

impl Queue {
    /// Returns whether what runs may be acknowledged: with a limit the broker must not send another in its place.
    pub(super) fn lets_go(&self) -> bool {
        self.counts.is_empty()
    }
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod test;
