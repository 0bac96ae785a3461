//! A process of activity-worker: the thin shell around the real worker, as activity-worker/src/shell drives it.

mod effects;
mod life;
mod returns;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use activity_worker::worker::{Effect, Input, ItemId, QueueId, Worker};
use warren::ActivityContext;
use warren_broker::{Delivery, Message, QueueSpec, Text, decode_owner_word};
use warren_model::Payload;

use crate::{
    broker::{ChannelId, FlightId, Holder, PublisherId, Taken, Ticket},
    fault::Fault,
    invariants::Violation,
    time::{MS, SECOND, Time},
    workload::{CHANCE, DEADLY},
    world::{BrokerStep, Step, World},
};

/// How often the worker is told the time, at most; only while it holds something.
const TICK: u64 = 50 * MS;

/// An activity that runs.
#[derive(Debug)]
pub(crate) struct Job {
    activity: String,
    context: ActivityContext,
    input: Payload,
    /// How long it runs, in microseconds.
    takes: u64,
}

/// One process, through all its lives.
pub(crate) struct WorkerProcess {
    /// Rises when it dies; steps of an earlier life come to nothing.
    pub(crate) life: u32,
    pub(crate) frozen_until: Time,
    began: Time,
    pub(crate) worker: Option<Worker>,
    channels: Vec<Option<ChannelId>>,
    /// The queues that are consumed only once the worker says so.
    paused: BTreeSet<usize>,
    publisher: Option<PublisherId>,
    running: BTreeMap<ItemId, Job>,
    is_ticking: bool,
    is_draining: bool,
}

/// What happens in a worker.
#[derive(Debug)]
pub(crate) enum WorkerStep {
    /// It begins.
    Boot,
    /// A queue is to be consumed.
    Open {
        queue: usize,
    },
    /// Something has arrived at a channel, or it has ended.
    Arrive {
        queue: usize,
        channel: ChannelId,
    },
    /// An activity has ended.
    Finish(ItemId),
    Published(FlightId),
    /// An owner has answered a question.
    Answered(Message),
    Declare(QueueSpec),
    Tick,
}

/// Returns where the answers to a worker's questions go.
fn answers_of(worker: usize, life: u32) -> String {
    format!("answers.{worker}.{life}")
}

/// Returns the worker, and its life, to which a queue brings answers.
pub(crate) fn asker(queue: &str) -> Option<(usize, u32)> {
    let (worker, life) = queue.strip_prefix("answers.")?.split_once('.')?;
    Some((worker.parse().ok()?, life.parse().ok()?))
}

impl WorkerProcess {
    pub(crate) fn new() -> Self {
        Self {
            life: 0,
            frozen_until: Time::default(),
            began: Time::default(),
            worker: None,
            channels: Vec::new(),
            paused: BTreeSet::new(),
            publisher: None,
            running: BTreeMap::new(),
            is_ticking: false,
            is_draining: false,
        }
    }

    /// Returns the name of an activity that runs.
    pub(crate) fn runs(&self) -> Option<&str> {
        self.running.values().map(|job| job.activity.as_str()).next()
    }
}

impl World {
    pub(crate) fn worker_step(&mut self, worker: usize, step: WorkerStep) {
        match step {
            WorkerStep::Boot => self.boot_worker(worker),
            WorkerStep::Open { queue } => self.open_queue(worker, queue),
            WorkerStep::Arrive { queue, channel } => self.work_arrives(worker, queue, channel),
            WorkerStep::Finish(item) => self.finish_activity(worker, item),
            WorkerStep::Answered(message) => self.owner_answers(worker, message),
            WorkerStep::Published(flight) => self.reply_published(worker, flight),
            WorkerStep::Declare(spec) => {
                if !self.broker.is_away {
                    self.broker.declare(&spec.name);
                }
            }
            WorkerStep::Tick => {
                let now = self.now.since(self.workers[worker].began);
                self.workers[worker].is_ticking = false;
                self.in_worker(worker, Input::Tick { now: Duration::from_micros(now) });
                self.send_back_overdue(worker);
            }
        }
    }

    fn worker_later(&mut self, micros: u64, worker: usize, step: WorkerStep) {
        let life = self.workers[worker].life;
        self.later(micros, Step::Worker { worker, life, step });
    }

    fn open_queue(&mut self, worker: usize, queue: usize) {
        if self.workers[worker].is_draining {
            return;
        }
        if self.broker.is_away {
            let pause = self.random.between(200 * MS, 2 * SECOND);
            return self.worker_later(pause, worker, WorkerStep::Open { queue });
        }
        let name = format!("{}.work.{}", self.hub.codec.topology().hub(), self.hub.queues[queue]);
        self.broker.declare(&self.hub.codec.topology().dead().name);
        self.broker.declare(&name);
        let holder = Holder::Worker { worker, life: self.workers[worker].life, queue };
        let prefetch = self.hub.worker.concurrency.get().into();
        self.workers[worker].channels[queue] = self.broker.consume(&name, prefetch, holder);
        if self.workers[worker].paused.contains(&queue) {
            self.frame(worker, queue, BrokerStep::Cancel);
        }
    }

    fn work_arrives(&mut self, worker: usize, queue: usize, id: ChannelId) {
        if let Some(channel) = self.broker.channels.get_mut(&id) {
            channel.is_announced = false;
        }
        if self.workers[worker].channels[queue] != Some(id) {
            return;
        }
        match self.broker.take(id, self.hub.worker.concurrency.get().into()) {
            Taken::Nothing => {}
            Taken::Deliveries(deliveries) => {
                self.broker.news.push(id); // there may be more
                let list: Vec<String> = deliveries.iter().map(|it| crate::show::message(&it.message)).collect();
                self.note(format_args!("worker {worker}: is given {}", list.join(", ")));
                self.in_worker(worker, Input::Delivered { queue: QueueId(queue), deliveries });
            }
            Taken::End if self.workers[worker].is_draining => {}
            Taken::End if self.workers[worker].paused.contains(&queue) && !self.broker.is_lost(id) => {
                self.in_worker(worker, Input::Paused { queue: QueueId(queue) });
            }
            Taken::End => {
                self.note(format_args!("worker {worker}: channel of queue {queue} is lost"));
                self.broker.forget(id);
                self.workers[worker].channels[queue] = None;
                self.in_worker(worker, Input::Lost { queue: QueueId(queue) });
                let pause = self.random.between(100 * MS, 2 * SECOND);
                self.worker_later(pause, worker, WorkerStep::Open { queue });
            }
        }
    }

    fn owner_answers(&mut self, worker: usize, message: Message) {
        let delivery = Delivery { tag: 1, redelivered: false, routing_key: Text::new(), message };
        match decode_owner_word(&delivery) {
            Ok(word) => {
                self.note(format_args!("worker {worker}: is told {word:?}"));
                self.in_worker(worker, Input::Told(word));
            }
            Err(malformed) => self.judge(Err(Violation::new("answers", malformed.reason))),
        }
    }

    /// The activity's result: what its function says, or a failure by chance.
    fn finish_activity(&mut self, worker: usize, item: ItemId) {
        let Some(job) = self.workers[worker].running.remove(&item) else { return };
        if job.activity == DEADLY.name() && !self.ledger.mended.contains(job.context.instance()) {
            self.note(format_args!("worker {worker}: is killed by its activity {}", item.0));
            self.faults.count(Fault::WorkerPoisoned);
            return self.kill_worker(worker);
        }
        let is_unlucky =
            job.activity == CHANCE.name() && self.fails(self.profile.activity_failed, Fault::ActivityFailed);
        let takes = job.takes;
        let outcome = if is_unlucky {
            Err(warren_model::Failure::new("chance", "bad luck"))
        } else {
            let run = self.hub.after.run_activity(&job.activity, job.context, job.input);
            futures_util::FutureExt::now_or_never(run).expect("activities of the simulation never wait")
        };
        self.note(format_args!("worker {worker}: {} {} ends, ok: {}", item.0, job.activity, outcome.is_ok()));
        self.in_worker(worker, Input::Finished { item, outcome, took: Duration::from_micros(takes) });
    }

    fn reply_published(&mut self, worker: usize, flight: FlightId) {
        let Some((flight, landed)) = self.landed(flight) else { return };
        if flight.results.iter().any(|result| matches!(result, warren_broker::Published::Lost(_)))
            && self.workers[worker].publisher == Some(flight.publisher)
        {
            self.workers[worker].publisher = None;
        }
        let mut fates = Vec::new();
        for (ticket, results) in landed {
            match ticket {
                Ticket::Items(items) => fates.extend(items.into_iter().zip(results)),
                Ticket::Back(channel, parts) => self.went_back(channel, parts, &results),
                Ticket::Question | Ticket::Owner(_) | Ticket::Forward => {}
            }
        }
        self.in_worker(worker, Input::Published(fates));
    }

    /// Lets the worker decide, and does what it asks for.
    fn in_worker(&mut self, worker: usize, input: Input) {
        let mut effects: Vec<Effect> = Vec::new();
        let Some(real) = &mut self.workers[worker].worker else { return };
        real.step(input, &mut effects);
        self.work(worker, effects);
        let process = &mut self.workers[worker];
        let holds = process.worker.as_ref().is_some_and(|real| real.held() > 0 || process.is_draining);
        if holds && !std::mem::replace(&mut process.is_ticking, true) {
            let pause = self.random.between(TICK / 2, 2 * TICK);
            self.worker_later(pause, worker, WorkerStep::Tick);
        }
    }
}
