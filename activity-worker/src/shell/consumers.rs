//! One task per queue: consumes it, and again after each loss.

use std::time::Duration;

use tokio::{
    select,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use warren_broker::{Acker, Broker, Consumer, Delivery, Error, QueueSpec};
use warren_service::backoff::{Backoff, chance};

use crate::{plan::Consumed, worker::QueueId};

/// How many reports may wait for the loop. Each is a batch; more would only take memory that the prefetch bounds anyway.
const REPORTS_MAX: usize = 64;

/// The first wait before a queue is consumed again, and the longest. The broker's connection has waits of its own.
pub(super) const WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// A channel that lived so long was well: the next loss is not blamed on it.
pub(super) const WELL_AFTER: Duration = Duration::from_secs(10);

/// How often a paused channel is looked at: what runs must be said to its owner within three seconds of a loss.
const LOOK: Duration = Duration::from_millis(250);

/// Acknowledges what a consumer of this broker delivered.
pub(super) type AckerOf<B> = <<B as Broker>::Consumer as Consumer>::Acker;

/// What a queue's task tells the loop, in this order for each channel: opened, deliveries, paused and opened again as often
/// as it is asked to, lost. While it is to pause no channel is opened, and it is paused.
pub(super) enum Report<B: Broker> {
    /// A channel is open, and its queue consumed.
    Opened(QueueId, AckerOf<B>),
    /// These arrived.
    Delivered(QueueId, Vec<Delivery>),
    /// Nothing more arrives until the queue is to be consumed again.
    Paused(QueueId),
    /// No channel can be opened at the moment, for this reason.
    Closed(QueueId, String),
    /// The channel is gone.
    Lost(QueueId),
    /// The broker can't be used, and to try again won't help.
    Failed(Error),
}

/// The tasks of all queues.
pub(super) struct Consumers<B: Broker> {
    tasks: JoinSet<()>,
    reports: mpsc::Receiver<Report<B>>,
    /// Which queues are to pause.
    pauses: Vec<watch::Sender<bool>>,
    draining: CancellationToken,
    closing: CancellationToken,
}

impl<B: Broker> Consumers<B> {
    pub(super) fn start(broker: &B, queues: impl Iterator<Item = Consumed>) -> Self {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let (draining, closing) = (CancellationToken::new(), CancellationToken::new());
        let (mut tasks, mut pauses) = (JoinSet::new(), Vec::new());
        for (at, Consumed { spec, prefetch, begins_paused }) in queues.enumerate() {
            let (pause, pauses_now) = watch::channel(begins_paused);
            pauses.push(pause);
            let task = QueueTask {
                id: QueueId(at),
                spec,
                prefetch,
                broker: broker.clone(),
                reports: sender.clone(),
                pauses: pauses_now,
                draining: draining.clone(),
                closing: closing.clone(),
            };
            tasks.spawn(task.run());
        }
        Self { tasks, reports, pauses, draining, closing }
    }

    /// Waits for the next report. Pending for ever after the last task has ended. Safe to cancel.
    pub(super) async fn next(&mut self) -> Report<B> {
        match self.reports.recv().await {
            Some(report) => report,
            None => std::future::pending().await,
        }
    }

    /// Returns a report that has arrived, if one has.
    pub(super) fn try_next(&mut self) -> Option<Report<B>> {
        self.reports.try_recv().ok()
    }

    /// Says whether a queue is to pause.
    pub(super) fn pause(&self, QueueId(at): QueueId, pauses: bool) {
        self.pauses[at].send_replace(pauses);
    }

    /// Opens no channel any more. Those that are open stay so, for acknowledgements.
    pub(super) fn drain(&self) {
        self.draining.cancel();
    }

    /// Closes the channels, which gives back what is unacknowledged.
    pub(super) async fn close(mut self) {
        self.draining.cancel();
        self.closing.cancel();
        self.reports.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

struct QueueTask<B: Broker> {
    id: QueueId,
    spec: QueueSpec,
    prefetch: u16,
    broker: B,
    reports: mpsc::Sender<Report<B>>,
    /// Whether the queue is to pause.
    pauses: watch::Receiver<bool>,
    draining: CancellationToken,
    closing: CancellationToken,
}

impl<B: Broker> QueueTask<B> {
    /// Declare, consume, pass on; after a loss wait and begin again (H22: longer each time, and never in step with others).
    async fn run(mut self) {
        let mut backoff = Backoff::new(WAIT.0, WAIT.1);
        let draining = self.draining.clone();
        while let Some(opened) = draining.run_until_cancelled(self.open()).await {
            let since = Instant::now();
            match opened {
                Ok(consumer) => self.pass_on(consumer).await,
                Err(error @ Error::Address { .. }) => {
                    let _ = self.reports.send(Report::Failed(error)).await;
                    return;
                }
                Err(error) => self.report_closed(&error).await,
            }
            if since.elapsed() >= WELL_AFTER {
                backoff.reset();
            }
            if draining.run_until_cancelled(sleep(backoff.next(chance()))).await.is_none() {
                return;
            }
        }
    }

    /// The health check tells it to people, once; a line for each queue and try would bury the rest of the log.
    async fn report_closed(&self, error: &Error) {
        tracing::debug!(queue = self.spec.name, %error, "queue can't be consumed yet");
        let _ = self.reports.send(Report::Closed(self.id, format!("cannot {error}"))).await;
    }

    /// Consumes, as soon as the queue is not to pause.
    async fn open(&mut self) -> Result<B::Consumer, Error> {
        if *self.pauses.borrow() {
            let _ = self.reports.send(Report::Paused(self.id)).await;
            becomes(&mut self.pauses, false).await;
        }
        self.broker.declare(&self.spec).await?;
        self.broker.consume(&self.spec.name, self.prefetch).await
    }

    /// Passes on what arrives until the channel is lost or the worker stops. A send fails only if the worker has stopped.
    async fn pass_on(&mut self, mut consumer: B::Consumer) {
        tracing::info!(queue = self.spec.name, prefetch = self.prefetch, "consuming work items");
        loop {
            if self.reports.send(Report::Opened(self.id, consumer.acker())).await.is_err() {
                return;
            }
            let Some(is_paused) = self.pass_on_until_paused(&mut consumer).await else { return };
            if !is_paused || !self.rest(&mut consumer).await {
                break;
            }
        }
        if self.draining.is_cancelled() {
            // The loop has cancelled the consumer, and still acknowledges through this channel.
            self.closing.cancelled().await;
            return;
        }
        tracing::warn!(queue = self.spec.name, "channel is lost");
        let _ = self.reports.send(Report::Lost(self.id)).await;
    }

    /// Passes on what arrives until the end; returns whether that is a pause, or nothing if the worker has stopped.
    async fn pass_on_until_paused(&mut self, consumer: &mut B::Consumer) -> Option<bool> {
        let (most, mut is_paused) = (usize::from(self.prefetch), false);
        loop {
            let next = select! {
                () = self.closing.cancelled() => return Some(false),
                () = becomes(&mut self.pauses, true), if !is_paused => {
                    is_paused = true;
                    // If it fails the channel is lost, and the consumer ends as well.
                    let _ = consumer.acker().cancel().await;
                    continue;
                }
                next = consumer.next(most) => next,
            };
            let Some(deliveries) = next else { return Some(is_paused) };
            self.reports.send(Report::Delivered(self.id, deliveries)).await.ok()?;
        }
    }

    /// Waits until the queue is to be consumed again, and does so; returns whether the channel is still there.
    async fn rest(&mut self, consumer: &mut B::Consumer) -> bool {
        if self.reports.send(Report::Paused(self.id)).await.is_err() {
            return false;
        }
        while consumer.is_open() {
            select! {
                () = self.draining.cancelled() => return false,
                () = becomes(&mut self.pauses, false) => return consumer.restart().await.is_ok(),
                () = sleep(LOOK) => {}
            }
        }
        false
    }
}

/// Waits until a word is said; for ever, if nobody says anything any more.
pub(super) async fn becomes(said: &mut watch::Receiver<bool>, word: bool) {
    if said.wait_for(|said| *said == word).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
#[path = "consumers_test.rs"]
mod test;
