//! Free slots are filled.

use warren_model::Payload;

use super::{
    Effect, ItemId, Worker,
    item::{Run, Stage},
};

impl Worker {
    /// Fills the free slots.
    pub(super) fn start(&mut self, effects: &mut Vec<Effect>) {
        self.start_suspect(effects);
        while self.is_serving() && self.has_room() && !self.suspects.keep_others_out(self.now) {
            let Some(id) = self.queues.take_next(self.now) else { return };
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
            Stage::Waiting(waiting) => {
                self.queues.begin(item.queue);
                waiting
            }
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
        taken < slots && taken + self.replying < slots * self.queues.len()
    }
}
