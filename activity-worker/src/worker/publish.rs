//! What became of publications.

use warren_broker::{Address, Publication, Published, QueueSpec};

use super::{
    Effect, ItemId, Worker,
    acks::Acks,
    item::{Item, Stage},
    retry,
};

impl Worker {
    pub(super) fn published(&mut self, fates: Vec<(ItemId, Published)>, effects: &mut Vec<Effect>) {
        let mut acks = Acks::default();
        for (id, fate) in fates {
            // An item may be gone: it was buried, its channel lost, and its redelivery is buried anew.
            let Some(letters) = self.items.get_mut(&id).and_then(Item::letters) else { continue };
            if letters.retry_at.is_some() {
                continue;
            }
            match fate {
                Published::Confirmed => self.confirmed(id, &mut acks, effects),
                Published::Returned => {
                    self.declare_target(id, effects);
                    self.try_later(id, "returned: no queue took it");
                }
                Published::Refused(why) | Published::Lost(why) => self.try_later(id, &why),
            }
        }
        self.acknowledge(&acks, effects);
    }

    /// Publishes what has waited long enough.
    pub(super) fn publish_again(&mut self, effects: &mut Vec<Effect>) {
        let now = self.now;
        for (id, item) in &mut self.items {
            let Some(letters) = item.letters() else { continue };
            let is_due = letters.retry_at.is_some_and(|at| at <= now);
            if let (true, Some(publication)) = (is_due, letters.queued.front()) {
                effects.push(Effect::Publish { item: *id, publication: publication.clone() });
                letters.retry_at = None;
            }
        }
    }

    /// The broker has it: the next publication of the item, or its acknowledgement (H5: never earlier).
    fn confirmed(&mut self, id: ItemId, acks: &mut Acks, effects: &mut Vec<Effect>) {
        let Some(letters) = self.items.get_mut(&id).and_then(Item::letters) else { return };
        letters.queued.pop_front();
        letters.failures = 0;
        if let Some(next) = letters.queued.front() {
            effects.push(Effect::Publish { item: id, publication: next.clone() });
            return;
        }
        let gives_back = letters.gives_back;
        let Some(item) = self.forget(id) else { return };
        if gives_back {
            item.deliveries.into_iter().for_each(|held| self.requeue(held, effects));
        } else {
            acks.add(&item.deliveries);
        }
    }

    fn try_later(&mut self, id: ItemId, why: &str) {
        let (now, salt) = (self.now, self.salt ^ id.0);
        let Some(letters) = self.items.get_mut(&id).and_then(Item::letters) else { return };
        letters.failures = letters.failures.saturating_add(1);
        letters.retry_at = Some(now + retry::delay(letters.failures, salt));
        let to = letters.queued.front().map(queue_name).unwrap_or_default();
        tracing::warn!(to, why, failures = letters.failures, "reply is not delivered and will be tried again");
    }

    fn declare_target(&mut self, id: ItemId, effects: &mut Vec<Effect>) {
        let Some(letters) = self.items.get_mut(&id).and_then(Item::letters) else { return };
        let Some(name) = letters.queued.front().map(|publication| queue_name(publication).to_owned()) else { return };
        effects.extend(self.hub_queue(&name).map(Effect::Declare));
    }

    /// Only queues that the hub has anyway: its control queues and its dead queue.
    fn hub_queue(&self, name: &str) -> Option<QueueSpec> {
        let topology = self.codec.topology();
        let dead = topology.dead();
        if dead.name == name {
            return Some(dead);
        }
        topology.partition_of_control(name).map(|partition| topology.control(partition))
    }

    /// Lets go of an item and its token.
    pub(super) fn forget(&mut self, id: ItemId) -> Option<Item> {
        let item = self.items.remove(&id)?;
        if let Some(token) = item.token() {
            self.tokens.remove(token);
        }
        self.suspects.is_over(id);
        match item.stage {
            Stage::Running(_) => {
                self.running -= 1;
                self.queues.end(item.queue);
            }
            Stage::Replying(_) | Stage::HandingOver(_) => self.replying -= 1,
            Stage::Asking(_) => {
                self.asking -= 1;
                self.queues.end(item.queue);
            }
            Stage::Waiting(_) | Stage::Burying(_) => {}
        }
        Some(item)
    }
}

fn queue_name(publication: &Publication) -> &str {
    match &publication.to {
        Address::Queue(name) => name,
        Address::Exchange { exchange, .. } => exchange,
    }
}

#[cfg(test)]
#[path = "publish_test.rs"]
mod test;
