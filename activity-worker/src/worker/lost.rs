//! A queue's channel is gone.

use super::{
    ItemId, QueueId, Worker,
    item::{Item, Stage},
};

impl Worker {
    /// Forgets what the channel delivered: the broker delivers it again. What runs goes on, and its reply is kept.
    pub(super) fn lose(&mut self, queue: QueueId) {
        for item in self.items.values_mut() {
            item.deliveries.retain(|held| held.queue != queue);
            if let Stage::Asking(asking) = &mut item.stage {
                asking.later.retain(|held| held.queue != queue);
            }
        }
        let gone: Vec<ItemId> = self.items.iter().filter(|(_, item)| is_gone(item)).map(|(id, _)| *id).collect();
        for id in &gone {
            self.forget(*id);
        }
        for id in self.queues.ids() {
            let items = &self.items;
            if let Some(queue) = self.queues.get(id) {
                queue.waiting.retain(|item| items.contains_key(item));
            }
        }
        if let Some(queue) = self.queues.get(queue) {
            queue.unacked.clear();
            queue.done.clear();
        }
        self.say_anew();
    }
}

/// Nothing of the item is worth keeping: it has not begun, or will be buried anew when it comes again.
fn is_gone(item: &Item) -> bool {
    item.all_deliveries().is_empty() && matches!(item.stage, Stage::Waiting(_) | Stage::Asking(_) | Stage::Burying(_))
}

#[cfg(test)]
#[path = "lost_test.rs"]
mod test;
