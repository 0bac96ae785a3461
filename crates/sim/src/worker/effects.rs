//! Does what a worker asks for.

use activity_worker::worker::{Effect, Input, ItemId};
use warren_broker::{Publication, Published};

use super::{Job, WorkerStep};
use crate::{
    broker::{Holder, PublisherId, Ticket},
    fault::Fault,
    mutation::Mutation,
    time::{MS, SECOND},
    workload::{ENDLESS, SLOW},
    world::{BrokerStep, Step, World},
};

/// Longer than any run of the simulation.
const FOR_EVER: u64 = 100_000 * SECOND;

impl World {
    /// Publications leave together; acknowledgements last, for one with `multiple` may reach past a delivery that was
    /// given back before it.
    pub(super) fn work(&mut self, worker: usize, effects: Vec<Effect>) {
        let mut batch: Vec<(ItemId, Publication)> = Vec::new();
        let mut acks = Vec::new();
        let mut has_stopped = false;
        for effect in effects {
            match effect {
                Effect::Run { item, activity, context, input, .. } => {
                    let takes = self.takes(&activity);
                    self.workers[worker]
                        .running
                        .insert(item, Job { activity: activity.to_string(), context, input, takes });
                    self.worker_later(takes, worker, WorkerStep::Finish(item));
                }
                Effect::Publish { item, publication } => batch.push((item, publication)),
                Effect::End { .. } if self.mutation == Some(Mutation::NoCancellation) => {}
                Effect::End { item, .. } => {
                    let soon = self.random.between(MS, SECOND);
                    self.worker_later(soon, worker, WorkerStep::Finish(item));
                }
                Effect::Ask(question) => self.ask_owner(worker, question),
                Effect::Ack { queue, tag, multiple } => acks.push((queue, tag, multiple)),
                Effect::Requeue { queue, tag } if self.give_back(worker, queue.0, tag) => {}
                Effect::Requeue { queue, tag } => {
                    self.frame(worker, queue.0, |channel| BrokerStep::Requeue { channel, tag });
                }
                Effect::Declare(spec) => {
                    let latency = self.latency();
                    self.worker_later(latency, worker, WorkerStep::Declare(spec));
                }
                Effect::Cancel { queue } => {
                    self.frame(worker, queue.0, BrokerStep::Cancel);
                    self.drain_channel(worker, queue.0);
                }
                Effect::Pause { queue } => {
                    self.faults.count(Fault::QueuePaused);
                    self.workers[worker].paused.insert(queue.0);
                    self.frame(worker, queue.0, BrokerStep::Cancel);
                    self.drain_channel(worker, queue.0);
                }
                Effect::Consume { queue } => {
                    self.workers[worker].paused.remove(&queue.0);
                    self.frame(worker, queue.0, BrokerStep::Restart);
                }
                Effect::AskForBaton { .. } | Effect::LeaveBaton { .. } => {
                    unreachable!("no queue of the simulation has a baton")
                }
                Effect::Stopped { .. } => has_stopped = true,
            }
        }
        self.publish_replies(worker, batch);
        for (queue, tag, multiple) in acks {
            self.frame(worker, queue.0, |channel| BrokerStep::Ack { channel, tag, multiple });
        }
        if has_stopped {
            self.note(format_args!("worker {worker}: stops"));
            self.kill_worker(worker);
        }
    }

    /// Returns how long an activity runs if it is not told to end.
    fn takes(&mut self, activity: &str) -> u64 {
        if activity == ENDLESS.name() {
            FOR_EVER
        } else if activity == SLOW.name() {
            self.random.between(SECOND, 20 * SECOND)
        } else if self.random.one_in(100) {
            self.random.between(5 * SECOND, 20 * SECOND)
        } else if self.random.one_in(20) {
            self.random.between(100 * MS, 5 * SECOND)
        } else {
            self.random.between(MS, 100 * MS)
        }
    }

    pub(super) fn frame(&mut self, worker: usize, queue: usize, step: impl Fn(crate::broker::ChannelId) -> BrokerStep) {
        if let Some(channel) = self.workers[worker].channels[queue] {
            let at = self.frame_of_channel(channel);
            self.agenda.add(at, Step::Broker(step(channel)));
        }
    }

    /// Sends a question, on the channel of the replies. If it is lost, it is asked again.
    fn ask_owner(&mut self, worker: usize, mut question: Publication) {
        question.message.reply_to = Some(super::answers_of(worker, self.workers[worker].life).into());
        if let Some(publisher) = self.publisher_of(worker) {
            self.publish(publisher, Ticket::Question, vec![question]);
        }
    }

    /// Returns the channel on which a worker publishes, opened if need be; `None` while the broker is away.
    pub(super) fn publisher_of(&mut self, worker: usize) -> Option<PublisherId> {
        let process = &self.workers[worker];
        let (life, present) = (process.life, process.publisher.filter(|id| self.broker.publishers.contains_key(id)));
        if present.is_some() || self.broker.is_away {
            return present;
        }
        let publisher = self.broker.publisher(Holder::Worker { worker, life, queue: 0 });
        self.workers[worker].publisher = Some(publisher);
        Some(publisher)
    }

    /// Publishes replies, on a new channel if there is none.
    fn publish_replies(&mut self, worker: usize, batch: Vec<(ItemId, Publication)>) {
        if batch.is_empty() {
            return;
        }
        let (items, publications): (Vec<ItemId>, Vec<Publication>) = batch.into_iter().unzip();
        let Some(publisher) = self.publisher_of(worker) else {
            let lost = |item| (item, Published::Lost("the broker is away".into()));
            let fates = items.into_iter().map(lost).collect();
            return self.in_worker(worker, Input::Published(fates));
        };
        self.publish(publisher, Ticket::Items(items), publications);
    }
}
