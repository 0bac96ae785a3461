//! Items that come again, and may have taken a worker down (H18).
//!
//! Their owner is asked before they begin: it counts, and says whether somebody still waits for them at all. Those that
//! were never counted begin like any other: mostly a worker was killed, or a connection lost, and nobody is guilty. Those
//! that were counted before begin one at a time, once nothing else runs, and for a while nothing begins beside them: so
//! the guilty one is alone when it strikes, takes nobody along, and nobody else is counted for it.

use std::{collections::VecDeque, time::Duration};

use warren_broker::{Permit, codec::begin};
use warren_model::Payload;

use super::{
    Effect, ItemId, Worker,
    acks::Acks,
    item::{Asking, Item, Stage},
};

/// When a question without an answer is asked again: another owner takes a partition over in about this time.
const ASK_AGAIN: Duration = Duration::from_secs(4);
/// How long a suspect waits at most until what runs has ended, and how long at most nothing begins beside it. What has run
/// for so long is hardly going to kill its worker, and a worker must not stand still for one item that takes an hour.
const ALONE: Duration = Duration::from_secs(30);

/// Items that begin with nothing beside them.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// In order.
    waiting: VecDeque<ItemId>,
    /// The one whose turn it is, and until when others wait for it.
    present: Option<(ItemId, Duration)>,
}

impl Suspects {
    /// Returns whether nothing else may begin now.
    pub(super) fn keep_others_out(&self, now: Duration) -> bool {
        self.present.is_some_and(|(_, until)| now < until)
    }

    fn is_present(&self, id: ItemId) -> bool {
        self.present.is_some_and(|(present, _)| present == id)
    }

    /// Notes that an item runs no more, or is gone.
    pub(super) fn is_over(&mut self, id: ItemId) {
        self.waiting.retain(|waiting| *waiting != id);
        if self.is_present(id) {
            self.present = None;
        }
    }
}

impl Worker {
    /// Asks the owner whether an item may begin.
    pub(super) fn ask(&mut self, id: ItemId, is_alone: bool, effects: &mut Vec<Effect>) {
        let Some(Item { queue, deliveries, stage }) = self.items.remove(&id) else { return };
        let stage = match stage {
            Stage::Waiting(waiting) => {
                self.asking += 1;
                self.queues.begin(queue);
                self.questions += 1;
                let question = format!("{:016x}:{}:{}", self.life, self.questions, u8::from(is_alone));
                let (waiting, asked_at) = (*waiting, self.now);
                Stage::Asking(Box::new(Asking { waiting, question, is_alone, later: Vec::new(), asked_at }))
            }
            other @ (Stage::Asking(_)
            | Stage::Running(_)
            | Stage::HandingOver(_)
            | Stage::Replying(_)
            | Stage::Burying(_)) => other,
        };
        self.items.insert(id, Item { queue, deliveries, stage });
        self.send_question(id, effects);
    }

    /// Asks again what has no answer: it was lost, or another owner takes over.
    pub(super) fn ask_again(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now;
        let mut overdue = Vec::new();
        for (id, item) in &mut self.items {
            if let Stage::Asking(asking) = &mut item.stage
                && asking.asked_at + ASK_AGAIN <= now
            {
                asking.asked_at = now;
                overdue.push(*id);
            }
        }
        overdue.into_iter().for_each(|id| self.send_question(id, effects));
    }

    /// Sends the question of an item; the same whenever it is sent, so that the owner counts it once.
    fn send_question(&self, id: ItemId, effects: &mut Vec<Effect>) {
        let Some(Stage::Asking(asking)) = self.items.get(&id).map(|item| &item.stage) else { return };
        tracing::debug!(
            token = &*asking.waiting.work.token,
            question = asking.question,
            "asking its owner whether it may begin"
        );
        effects.push(Effect::Ask(begin(&asking.waiting.work, &asking.question, &self.name, asking.is_alone)));
    }

    /// Does as the owner says.
    pub(super) fn answered(
        &mut self,
        question: &str,
        permit: Permit,
        progress: Option<Payload>,
        effects: &mut Vec<Effect>,
    ) {
        let asks = |item: &Item| matches!(&item.stage, Stage::Asking(asking) if asking.question == question);
        let Some(id) = self.items.iter().find(|(_, item)| asks(item)).map(|(id, _)| *id) else { return };
        tracing::debug!(question, ?permit, "owner has answered");
        match permit {
            Permit::Go => {
                if self.suspects.is_present(id) {
                    self.suspects.present = Some((id, self.now + ALONE));
                }
                if let (Some(progress), Some(item)) = (progress, self.items.get_mut(&id))
                    && let Stage::Asking(asking) = &mut item.stage
                {
                    asking.waiting.context = asking.waiting.context.with_progress(progress);
                }
                self.run(id, effects);
            }
            Permit::Alone => {
                self.suspects.is_over(id);
                self.suspects.waiting.push_back(id);
                self.wait_again(id);
            }
            // It is asked again by itself.
            Permit::Wait => {}
            Permit::Drop => self.drop_item(id, effects),
        }
    }

    /// Acknowledges what the answer is about. What has come since the question may have been sent since the answer, by a
    /// resume of the instance, and must not be lost: it is asked for anew.
    fn drop_item(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let mut acks = Acks::default();
        let Some(item) = self.items.get_mut(&id) else { return };
        tracing::info!(token = item.token(), "work item that came again is dropped, as its owner says");
        acks.add(&item.deliveries);
        item.deliveries.clear();
        self.suspects.is_over(id);
        self.wait_again(id);
        match self.items.get(&id).and_then(|item| item.deliveries.first()).map(|held| held.queue) {
            Some(queue) => self.queues.wait_first(queue, id),
            None => drop(self.forget(id)),
        }
        self.acknowledge(&acks, effects);
    }

    /// Takes an item that asks back to those that wait.
    fn wait_again(&mut self, id: ItemId) {
        let Some(Item { queue, mut deliveries, stage }) = self.items.remove(&id) else { return };
        let stage = match stage {
            Stage::Asking(asking) => {
                self.asking -= 1;
                self.queues.end(queue);
                deliveries.extend(asking.later);
                Stage::Waiting(Box::new(asking.waiting))
            }
            other @ (Stage::Waiting(_)
            | Stage::Running(_)
            | Stage::HandingOver(_)
            | Stage::Replying(_)
            | Stage::Burying(_)) => other,
        };
        self.items.insert(id, Item { queue, deliveries, stage });
    }

    /// Gives the next suspect its turn, and asks for it once nothing runs, or it has waited long enough.
    pub(super) fn start_suspect(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_serving() {
            return;
        }
        if self.suspects.present.is_none() {
            let next = self.suspects.waiting.pop_front();
            self.suspects.present = next.map(|id| (id, self.now + ALONE));
        }
        let Some((id, until)) = self.suspects.present else { return };
        let may_begin =
            |item: &Item| matches!(item.stage, Stage::Waiting(_)) && self.queues.may_begin(item.queue, self.now);
        let waits = self.items.get(&id).is_some_and(may_begin);
        let is_alone = self.running + self.asking == 0;
        if waits && self.has_room() && (is_alone || until <= self.now) {
            self.suspects.present = Some((id, self.now + ALONE));
            self.ask(id, true, effects);
        }
    }

    /// Ends the turn of a suspect that has run for long: the next may have its own.
    pub(super) fn let_others_in(&mut self) {
        if let Some((id, until)) = self.suspects.present
            && until <= self.now
            && self.items.get(&id).is_none_or(|item| matches!(item.stage, Stage::Running(_)))
        {
            self.suspects.present = None;
        }
    }
}

#[cfg(test)]
#[path = "ask_test.rs"]
mod test;
