//! Does what the loop asks for.

use futures_util::future::join_all;
use warren_broker::Broker;

use super::{activities::Job, serve::Shell};
use crate::worker::Effect;

impl<B: Broker> Shell<B> {
    /// Does all that the loop has asked for; returns whether the loop has stopped.
    ///
    /// Publications leave together. Acknowledgements too, and last: one with `multiple` may reach past a delivery that
    /// was given back before it, and must not overtake that.
    pub(super) async fn act(&mut self) -> bool {
        let mut batch = Vec::new();
        let (mut requeues, mut acks) = (Vec::new(), Vec::new());
        let mut has_stopped = false;
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Run { item, activity, context, input, traceparent } => {
                    self.activities.start(Job { item, activity, context, input, traceparent });
                }
                Effect::Publish { item, publication } => batch.push((item, publication)),
                Effect::End { item, reason } => self.activities.end(item, reason),
                Effect::Ask(question) => self.asking.send(question),
                Effect::Ack { queue, tag, multiple } => acks.push(self.channels.ack(queue, tag, multiple)),
                Effect::Requeue { queue, tag } => requeues.push(self.channels.requeue(queue, tag)),
                Effect::Declare(queue) => self.declaring.start(queue),
                Effect::Cancel { queue } => self.channels.cancel(queue).await,
                Effect::Pause { queue } => self.consumers.pause(queue, true),
                Effect::Consume { queue } => self.consumers.pause(queue, false),
                Effect::AskForBaton { queue } => self.batons.want(queue, true),
                Effect::LeaveBaton { queue } => self.batons.want(queue, false),
                Effect::Stopped { running, replying } => {
                    tracing::info!(running, replying, "stopped");
                    has_stopped = true;
                }
            }
        }
        self.publishing.send(batch);
        join_all(requeues).await;
        join_all(acks).await;
        has_stopped
    }
}
