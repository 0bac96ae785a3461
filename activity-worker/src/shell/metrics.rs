//! What a worker exports: every metric of activity-worker has its name and its meaning here. Handles are made once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::{Counter, Histogram, counter, gauge, histogram};
use warren::{RegisteredActivity, Registry};
use warren_broker::{Delivery, Published};
use warren_service::metrics::Share;

use crate::worker::{Input, QueueId, Worker};

/// What stands for every activity that this worker does not know: whoever sends a work item names it.
const UNKNOWN: RegisteredActivity<'static> = RegisteredActivity { name: "unknown", queue: "unknown" };

/// Says what the metrics mean.
pub(crate) fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    gauge!("warren_activities_running", "activities that run at the moment");
    gauge!("warren_batons_held", "1 where the lanes of a queue are consumed that are limited together, by queue");
    gauge!("warren_work_items_held", "work items that wait, run or are being answered");
    counter!("warren_work_items_total", "work items that were delivered, by queue");
    counter!("warren_work_items_redelivered_total", "work items that were delivered again, by queue");
    histogram!("warren_activity_seconds", "how long activities ran, by activity, queue and outcome");
    counter!(
        "warren_replies_total",
        "replies, and copies for the dead queue, by what the broker made of them; what it did not confirm is sent again"
    );
    counter!("warren_dead_messages_total", "work items sent to the dead queue, by the kind of reason");
    counter!("warren_drains_total", "how often the worker was told to finish what runs and take nothing new");
}

/// The handles of one worker.
pub(super) struct Metrics {
    running: Share,
    held: Share,
    /// Work items, and those of them that were delivered again, by the queue's place in the plan.
    delivered: Vec<(Counter, Counter)>,
    confirmed: Counter,
    returned: Counter,
    refused: Counter,
    lost: Counter,
    drains: Counter,
    /// For each queue that has one, in the worker's order.
    batons: Vec<Share>,
    dead: Counter,
    /// How many work items the worker had buried the last time.
    buried: u64,
}

impl Metrics {
    /// Returns handles for a worker, whose queues and lanes these are.
    pub(super) fn new<'a>(worker: &Worker, queues: impl Iterator<Item = &'a str>) -> Self {
        let delivered = |queue: &str| {
            let (first, again) = (queue.to_owned(), queue.to_owned());
            let all = counter!("warren_work_items_total", "queue" => first);
            (all, counter!("warren_work_items_redelivered_total", "queue" => again))
        };
        let baton = |queue: &str| Share::of(gauge!("warren_batons_held", "queue" => queue.to_owned()));
        let replies = |result: &'static str| counter!("warren_replies_total", "result" => result);
        Self {
            running: Share::of(gauge!("warren_activities_running")),
            held: Share::of(gauge!("warren_work_items_held")),
            delivered: queues.map(delivered).collect(),
            confirmed: replies("confirmed"),
            returned: replies("returned"),
            refused: replies("refused"),
            lost: replies("lost"),
            drains: counter!("warren_drains_total"),
            batons: worker.batons().map(|(queue, _)| baton(queue)).collect(),
            dead: counter!("warren_dead_messages_total", "reason" => "malformed"),
            buried: 0,
        }
    }

    /// Notes what the loop is told.
    pub(super) fn told(&self, input: &Input) {
        match input {
            Input::Delivered { queue, deliveries } => self.delivered(*queue, deliveries),
            Input::Published(fates) => {
                let count = |is_it: fn(&Published) -> bool| fates.iter().filter(|(_, fate)| is_it(fate)).count() as u64;
                for (counter, count) in [
                    (&self.confirmed, count(|fate| *fate == Published::Confirmed)),
                    (&self.returned, count(|fate| *fate == Published::Returned)),
                    (&self.refused, count(|fate| matches!(fate, Published::Refused(_)))),
                    (&self.lost, count(|fate| matches!(fate, Published::Lost(_)))),
                ] {
                    if count > 0 {
                        counter.increment(count);
                    }
                }
            }
            Input::Drain => self.drains.increment(1),
            Input::Finished { .. }
            | Input::HandedOver { .. }
            | Input::Beat { .. }
            | Input::Told(_)
            | Input::Lost { .. }
            | Input::Paused { .. }
            | Input::Baton { .. }
            | Input::Tick { .. } => {}
        }
    }

    fn delivered(&self, queue: QueueId, deliveries: &[Delivery]) {
        let Some((all, redelivered)) = self.delivered.get(queue.0) else { return };
        all.increment(deliveries.len() as u64);
        let again = deliveries.iter().filter(|delivery| delivery.redelivered).count();
        if again > 0 {
            redelivered.increment(again as u64);
        }
    }

    /// Shows how much the worker holds, and counts what it has buried since the last time.
    pub(super) fn shows(&mut self, worker: &Worker) {
        self.running.set(worker.running() as u64);
        self.held.set(worker.held() as u64);
        if !self.batons.is_empty() {
            self.batons.iter_mut().zip(worker.batons()).for_each(|(share, (_, is_held))| share.set(is_held.into()));
        }
        let buried = worker.buried() - std::mem::replace(&mut self.buried, worker.buried());
        if buried > 0 {
            self.dead.increment(buried);
        }
    }
}

/// How a run of an activity has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Completed,
    Failed,
    /// Nobody waits for it any more.
    Cancelled,
    /// Something else completes its task.
    HandedOver,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Completed, Self::Failed, Self::Cancelled, Self::HandedOver];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::HandedOver => "handed_over",
        }
    }
}

/// How long one activity's runs took, by their fate.
pub(super) struct Timing([Histogram; 4]);

impl Timing {
    fn of(activity: RegisteredActivity<'_>) -> Self {
        let RegisteredActivity { name, queue } = activity;
        Self(Fate::ALL.map(|fate| {
            let (activity, queue) = (name.to_owned(), queue.to_owned());
            histogram!("warren_activity_seconds", "activity" => activity, "queue" => queue, "outcome" => fate.as_str())
        }))
    }

    pub(super) fn note(&self, fate: Fate, took: Duration) {
        self.0[fate as usize].record(took);
    }
}

/// The timing of every activity.
pub(super) struct Timings {
    known: HashMap<String, Arc<Timing>>,
    unknown: Arc<Timing>,
}

impl Timings {
    pub(super) fn new(registry: &Registry) -> Self {
        let timing = |activity: RegisteredActivity<'_>| (activity.name.to_owned(), Arc::new(Timing::of(activity)));
        Self { known: registry.activities().map(timing).collect(), unknown: Arc::new(Timing::of(UNKNOWN)) }
    }

    pub(super) fn of(&self, activity: &str) -> Arc<Timing> {
        self.known.get(activity).unwrap_or(&self.unknown).clone()
    }
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod test;
