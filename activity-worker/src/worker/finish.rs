//! An activity has ended: its reply.

use std::time::Duration;

use warren_broker::{
    Address, Publication, WorkItem,
    codec::{reply, timed},
};
use warren_model::{Failure, Outcome, code};

use super::{
    Effect, ItemId, Worker,
    item::{Letters, Stage},
};

/// How much of a failure's message is kept if the whole is over the limit; a person reads it.
const MESSAGE_KEPT_CHARS: usize = 1000;
/// How much of a failure's code is kept then; codes are short words.
const CODE_KEPT_CHARS: usize = 100;

impl Worker {
    pub(super) fn finish(&mut self, id: ItemId, mut outcome: Outcome, took: Duration, effects: &mut Vec<Effect>) {
        let Some(item) = self.items.get(&id) else { return };
        let Stage::Running(run) = &item.stage else { return };
        if run.is_cancelled {
            return self.let_go(id, effects);
        }
        if outcome.is_err() && self.is_stopping() {
            return self.hand_back(id, effects);
        }
        if let Err(failure) = &mut outcome
            && failure.progress.is_none()
        {
            failure.progress.clone_from(&run.progress);
        }
        let token = run.work.token.clone();
        let queue = item.deliveries.first().filter(|_| run.work.is_timed).map(|held| held.queue);
        let mut publication = self.reply_within_limit(&run.work, &outcome);
        if let Some(queue) = queue.and_then(|id| self.queues.get(id)) {
            publication = timed(publication, &queue.name, took);
        }
        if let Some(item) = self.items.get_mut(&id) {
            item.stage = Stage::Replying(Letters::new(Some(token), [publication.clone()]));
        }
        self.leave_slot(id);
        effects.push(Effect::Publish { item: id, publication });
    }

    fn reply_within_limit(&self, work: &WorkItem, outcome: &Outcome) -> Publication {
        let publication = reply(work, outcome, &self.name);
        let (bytes, max) = (publication.message.body.len(), self.limits.payload_bytes);
        if bytes <= max {
            return self.address(publication);
        }
        tracing::warn!(activity = &*work.activity, bytes, max, "result is too large");
        let failure = match outcome {
            Ok(_) => Failure::permanent(
                code::PAYLOAD_TOO_LARGE,
                format!(
                    "the result of {} has {bytes} bytes, at most {max} are allowed: return less, or store it elsewhere and return where",
                    work.activity
                ),
            ),
            Err(failure) => shortened(failure),
        };
        self.address(reply(work, &Err(failure), &self.name))
    }

    /// Insists on delivery, and lets replies share a message, only where an owner reads. Elsewhere somebody asked for an
    /// answer and may have gone: to try for ever would hold the work item for ever.
    pub(super) fn address(&self, mut publication: Publication) -> Publication {
        let is_owners = match &publication.to {
            Address::Queue(name) => self.codec.topology().partition_of_control(name).is_some(),
            Address::Exchange { .. } => false,
        };
        (publication.mandatory, publication.packs) = (is_owners, is_owners);
        publication
    }
}

/// Keeps what a program and a person need; how the task goes on does not change with the size of what it said.
fn shortened(failure: &Failure) -> Failure {
    let keep = |text: &str, chars| text.chars().take(chars).collect::<String>();
    let code = keep(&failure.code, CODE_KEPT_CHARS);
    let message = format!("{}… (shortened, details and causes left out)", keep(&failure.message, MESSAGE_KEPT_CHARS));
    Failure { code, message, retryable: failure.retryable, details: None, progress: None, cause: None }
}

#[cfg(test)]
#[path = "finish_test.rs"]
mod test;
