//! The task that owns the worker's loop.

use std::time::Duration;

use tokio::{
    pin, select,
    time::{Instant, MissedTickBehavior, interval_at},
};
use warren::Registry;
use warren_broker::Broker;
use warren_service::{health::Health, traces::Tracer};

use super::{
    activities::{Activities, Ended},
    asking::Asking,
    batons::{BatonReport, Batons},
    channels::Channels,
    consumers::{AckerOf, Consumers, Report},
    declaring::Declaring,
    metrics::Metrics,
    publishing::Publishing,
    readiness,
};
use crate::{
    Result,
    plan::Plan,
    worker::{Effect, Input, QueueId, Worker},
};

/// How often the loop is told the time: retries and the end of a drain are exact to this.
const TICK: Duration = Duration::from_millis(50);
/// How often activities are asked how far they have come: of what they say in between, the last counts.
const HEAR: Duration = Duration::from_millis(500);

/// Serves the plan's queues until `shutdown` resolves and the drain is over. See [`crate::run_with`].
pub(crate) async fn serve<B: Broker>(
    broker: B,
    registry: Registry,
    plan: Plan,
    watchers: (Health, Tracer),
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let mut shell = Shell::start(broker, registry, &plan, watchers);
    let served = shell.run(shutdown).await;
    shell.close().await;
    served
}

pub(super) struct Shell<B: Broker> {
    worker: Worker,
    broker: B,
    pub(super) consumers: Consumers<B>,
    pub(super) channels: Channels<B>,
    pub(super) batons: Batons,
    pub(super) activities: Activities,
    pub(super) publishing: Publishing<B>,
    pub(super) declaring: Declaring<B>,
    pub(super) asking: Asking,
    /// What the loop has asked for and the shell has not done yet.
    pub(super) effects: Vec<Effect>,
    health: Health,
    metrics: Metrics,
    /// When activities were last asked how far they have come.
    heard_at: Duration,
}

impl<B: Broker> Shell<B> {
    fn start(broker: B, registry: Registry, plan: &Plan, (health, tracer): (Health, Tracer)) -> Self {
        let worker = plan.worker();
        let metrics = Metrics::new(&worker, plan.names());
        Self {
            worker,
            consumers: Consumers::start(&broker, plan.consumed()),
            channels: Channels::new(plan.queues()),
            batons: Batons::start(&broker, plan.batons()),
            activities: Activities::new(registry, tracer),
            publishing: Publishing::new(broker.clone()),
            declaring: Declaring::new(broker.clone()),
            asking: Asking::start(broker.clone()),
            effects: Vec::new(),
            broker,
            health,
            metrics,
            heard_at: Duration::ZERO,
        }
    }

    /// Waits for something to happen, lets the loop decide, does what it asks for.
    async fn run(&mut self, shutdown: impl Future<Output = ()>) -> Result<()> {
        pin!(shutdown);
        let begun = Instant::now();
        // Not at once: what is up within a tick needs no word about being down.
        let mut ticks = interval_at(begun + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                report = self.consumers.next() => self.take(report).await?,
                ended = self.activities.next() => self.finished(ended),
                report = self.batons.next() => self.take_baton(report)?,
                fates = self.publishing.next() => self.step(Input::Published(fates)),
                () = self.declaring.next() => {}
                word = self.asking.next() => self.step(Input::Told(word)),
                now = ticks.tick() => self.tick(now.duration_since(begun)),
                () = &mut shutdown, if self.worker.is_serving() => self.drain(),
            }
            self.take_what_is_there().await?;
            if self.act().await {
                return Ok(());
            }
        }
    }

    /// Ends what still runs, then closes the channels: in this order, so that nobody else begins what runs here.
    async fn close(self) {
        self.activities.stop().await;
        self.consumers.close().await;
        self.batons.close().await;
    }

    pub(super) fn step(&mut self, input: Input) {
        self.metrics.told(&input);
        self.worker.step(input, &mut self.effects);
        self.metrics.shows(&self.worker);
    }

    /// Takes in what else has happened by now, so that its replies travel in one batch. Never waits for more.
    async fn take_what_is_there(&mut self) -> Result<()> {
        while let Some(report) = self.consumers.try_next() {
            self.take(report).await?;
        }
        while let Some(ended) = self.activities.try_next() {
            self.finished(ended);
        }
        Ok(())
    }

    fn finished(&mut self, Ended { item, outcome, took, is_handed_over }: Ended) {
        self.step(match is_handed_over {
            true => Input::HandedOver { item },
            false => Input::Finished { item, outcome, took },
        });
    }

    async fn take(&mut self, report: Report<B>) -> Result<()> {
        match report {
            Report::Opened(queue, acker) => self.opened(queue, acker).await,
            Report::Delivered(queue, deliveries) => self.step(Input::Delivered { queue, deliveries }),
            Report::Closed(queue, why) => self.channels.closed(queue, why),
            Report::Lost(queue) => {
                self.channels.closed(queue, "its channel is lost".into());
                self.step(Input::Lost { queue });
            }
            Report::Paused(queue) => {
                self.channels.paused(queue);
                self.step(Input::Paused { queue });
            }
            Report::Failed(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn take_baton(&mut self, report: BatonReport) -> Result<()> {
        match report {
            BatonReport::Held(queue) => self.step(Input::Baton { queue, is_held: true }),
            BatonReport::Left(queue) => self.step(Input::Baton { queue, is_held: false }),
            BatonReport::Failed(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// From now on acknowledgements go to this channel. Those of the one before are done first: the same tag means
    /// another delivery here.
    async fn opened(&mut self, queue: QueueId, acker: AckerOf<B>) {
        self.act().await;
        self.channels.opened(queue, acker);
        if !self.worker.is_serving() {
            // The drain began while the channel opened.
            self.channels.cancel(queue).await;
        }
    }

    fn tick(&mut self, now: Duration) {
        if now >= self.heard_at + HEAR {
            self.heard_at = now;
            for (item, progress) in self.activities.progress() {
                self.step(Input::Beat { item, progress });
            }
        }
        self.activities.end_overdue();
        self.step(Input::Tick { now });
        readiness::show_broker(&self.health, &self.broker.health());
        readiness::show_queues(&self.health, self.channels.unconsumed().or_else(|| self.batons.trouble()));
    }

    fn drain(&mut self) {
        tracing::info!(running = self.worker.running(), held = self.worker.held(), "draining");
        self.health.drain();
        self.consumers.drain();
        self.step(Input::Drain);
    }
}

#[cfg(test)]
#[path = "serve_test.rs"]
mod test;
