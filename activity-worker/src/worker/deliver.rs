//! A work item arrives.

use warren::{ActivityContext, Task};
use warren_broker::{Delivery, WorkItem, codec::reply, decode_work_item};
use warren_model::{Failure, Payload, Token, code};

use super::{
    Effect, ItemId, QueueId, Worker,
    item::{Held, Item, Letters, Stage, Waiting},
};

impl Worker {
    pub(super) fn deliver(&mut self, queue: QueueId, deliveries: &[Delivery], effects: &mut Vec<Effect>) {
        for delivery in deliveries {
            let held = Held { queue, tag: delivery.tag };
            self.note_unacked(held);
            if self.is_serving() {
                self.take(held, delivery, effects);
            } else {
                self.requeue(held, effects);
            }
        }
    }

    fn take(&mut self, held: Held, delivery: &Delivery, effects: &mut Vec<Effect>) {
        let name = self.queues.get(held.queue).map(|queue| queue.name.clone()).unwrap_or_default();
        match self.read(delivery, &name) {
            Ok(waiting) => match waiting.work.missing.clone() {
                None => self.hold(held, waiting),
                Some(reason) => self.refuse(held, &waiting.work, reason, effects),
            },
            Err(reason) => self.bury(held, delivery, &reason, &name, effects),
        }
    }

    /// Lets an item wait for a slot, unless the same attempt is here already (the broker delivered it again, or its
    /// owner published it twice): then this delivery is acknowledged with that one.
    fn hold(&mut self, held: Held, waiting: Waiting) {
        let token = &waiting.work.token;
        if let Some(same) = self.by_token(token).map(|(_, item)| item) {
            tracing::debug!(instance = %waiting.context.instance(), task = %waiting.context.task(), "work item is already here");
            match &mut same.stage {
                Stage::Asking(asking) => asking.later.push(held),
                Stage::Waiting(known) => {
                    known.must_ask |= waiting.must_ask;
                    same.deliveries.push(held);
                }
                Stage::Running(_) | Stage::HandingOver(_) | Stage::Replying(_) | Stage::Burying(_) => {
                    same.deliveries.push(held);
                }
            }
            return;
        }
        let id = self.next_id();
        self.tokens.insert(token.clone(), id);
        self.items
            .insert(id, Item { queue: held.queue, deliveries: vec![held], stage: Stage::Waiting(Box::new(waiting)) });
        self.queues.wait(held.queue, id);
    }

    /// Answers an item whose input travelled apart and is not to be found. If it is a copy of one that is done, its owner
    /// knows that the task has ended, and takes no notice.
    fn refuse(&mut self, held: Held, work: &WorkItem, reason: String, effects: &mut Vec<Effect>) {
        tracing::error!(activity = &*work.activity, reason, "work item has lost its input");
        let publication = self.address(reply(work, &Err(Failure::new(code::PAYLOAD_MISSING, reason)), &self.name));
        let id = self.next_id();
        let letters = Letters::new(None, [publication.clone()]);
        self.items.insert(id, Item { queue: held.queue, deliveries: vec![held], stage: Stage::Burying(letters) });
        effects.push(Effect::Publish { item: id, publication });
    }

    /// Sends what makes no sense to the dead queue, with the reason, and tells its sender if it says who that is.
    fn bury(&mut self, held: Held, delivery: &Delivery, reason: &str, queue: &str, effects: &mut Vec<Effect>) {
        tracing::warn!(queue, reason, "work item makes no sense");
        let full_name = self.codec.topology().work(queue).map(|spec| spec.name).unwrap_or_default();
        let mut letters = vec![self.codec.dead(delivery, reason, &full_name)];
        if let Some(work) = addressee(delivery).filter(|work| self.check_reply_to(work).is_ok()) {
            let failure = Failure::permanent(code::INVALID_INPUT, format!("the work item makes no sense: {reason}"));
            letters.push(self.address(reply(&work, &Err(failure), &self.name)));
        }
        let first = letters[0].clone();
        self.buried += 1;
        let id = self.next_id();
        self.items.insert(
            id,
            Item { queue: held.queue, deliveries: vec![held], stage: Stage::Burying(Letters::new(None, letters)) },
        );
        effects.push(Effect::Publish { item: id, publication: first });
    }

    fn read(&self, delivery: &Delivery, queue: &str) -> Result<Waiting, String> {
        let work = decode_work_item(delivery).map_err(|malformed| malformed.reason)?;
        self.check_reply_to(&work)?;
        let context = context(&work, queue)?;
        // Only an owner can tell: whoever else asked for an answer just gets it.
        let has_owner = self.codec.topology().partition_of_control(&work.reply_to).is_some();
        Ok(Waiting { work, context, has_owner, must_ask: delivery.redelivered && has_owner })
    }

    /// A reply on a work-item queue, the ingress or the dead queue would be read as what it is not.
    fn check_reply_to(&self, work: &WorkItem) -> Result<(), String> {
        let (topology, name) = (self.codec.topology(), &work.reply_to);
        if topology.is_engine_queue(name) && topology.partition_of_control(name).is_none() {
            return Err(format!("property reply_to names {name:?}: expected the control queue of a partition"));
        }
        Ok(())
    }

    fn next_id(&mut self) -> ItemId {
        self.begun += 1;
        ItemId(self.begun)
    }
}

fn context(work: &WorkItem, queue: &str) -> Result<ActivityContext, String> {
    let token: Token = work.token.parse().map_err(|_| {
        format!("property correlation_id is {:?}: expected the token that the hub gives a task", work.token)
    })?;
    Ok(ActivityContext::new(Task {
        instance: token.instance,
        execution: token.execution,
        id: token.task,
        attempt: token.attempt,
        idempotency_key: work.idempotency_key.to_string(),
        queue: queue.to_owned(),
        token: work.token.to_string(),
        reply_to: work.reply_to.to_string(),
        timeouts: work.timeouts,
        progress: work.progress.clone(),
        traceparent: work.traceparent.as_deref().map(str::to_owned),
    }))
}

/// Returns as much of a work item as its reply needs, if the message says where that goes.
fn addressee(delivery: &Delivery) -> Option<WorkItem> {
    let mut bare = delivery.clone();
    bare.message.body.clear();
    bare.message.headers.clear();
    bare.message.kind = Some("unknown".into());
    decode_work_item(&bare).ok().map(|work| WorkItem { input: Payload::null(), ..work })
}

#[cfg(test)]
#[path = "deliver_test.rs"]
mod test;
