//! The queues that a worker serves: who waits for a slot, whose turn it is, and what is unacknowledged.

use std::collections::{BTreeSet, VecDeque};

use warren_model::Payload;

use super::{
    Effect, ItemId, QueueId, Worker,
    item::{Run, Stage},
};

/// One queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// Its name, without the hub's prefix.
    pub(super) name: String,
    /// In order of arrival.
    pub(super) waiting: VecDeque<ItemId>,
    /// The tags of this channel that are neither acknowledged nor given back.
    pub(super) unacked: BTreeSet<u64>,
}

/// All queues.
#[derive(Debug)]
pub(super) struct Queues {
    all: Vec<Queue>,
    /// Whose turn it is.
    turn: usize,
}

impl Queues {
    pub(super) fn new(names: &[String]) -> Self {
        let queue = |name: &String| Queue { name: name.clone(), waiting: VecDeque::new(), unacked: BTreeSet::new() };
        Self { all: names.iter().map(queue).collect(), turn: 0 }
    }

    pub(super) fn get(&mut self, id: QueueId) -> Option<&mut Queue> {
        self.all.get_mut(id.0)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = QueueId> + use<> {
        (0..self.all.len()).map(QueueId)
    }

    /// Takes the first item of the next queue that has one: each queue gets its turn, however full another is.
    fn take_next(&mut self) -> Option<ItemId> {
        let count = self.all.len();
        let found = (0..count).map(|step| (self.turn + step) % count).find(|at| !self.all[*at].waiting.is_empty())?;
        self.turn = (found + 1) % count;
        self.all[found].waiting.pop_front()
    }
}

impl Worker {
    /// Fills the free slots.
    pub(super) fn start(&mut self, effects: &mut Vec<Effect>) {
        self.start_suspect(effects);
        while self.is_serving() && self.has_room() && !self.suspects.keep_others_out(self.now) {
            let Some(id) = self.queues.take_next() else { return };
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
        let (mut work, context) = (waiting.work.clone(), waiting.context.clone());
        let input = std::mem::replace(&mut work.input, Payload::null());
        let (activity, traceparent) = (work.activity.clone(), work.traceparent.clone());
        let has_owner = self.codec.topology().partition_of_control(&work.reply_to).is_some();
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
