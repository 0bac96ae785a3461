//! One task for each baton: asks for it while the loop wants it, and again after each loss.
//!
//! The queue of a baton has a single active consumer, so whoever gets what is in it holds the baton, and nobody else. Each that
//! asks leaves a message there; the holder keeps the newest, and acknowledges the others. So there is always one in the queue,
//! or in a hand that the broker watches.

use std::time::Duration;

use tokio::{
    select,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};
use tokio_util::sync::CancellationToken;
use warren_broker::{Acker, Address, Broker, Consumer, Delivery, Error, Message, Publication, Publisher, QueueSpec};
use warren_service::backoff::{Backoff, chance};

use super::consumers::{WAIT, WELL_AFTER, becomes};
use crate::worker::ServedId;

/// How many reports may wait for the loop: each task has one or two at a time.
const REPORTS_MAX: usize = 64;
/// How many to be given at a time: each time that a worker asks leaves one.
const PREFETCH: u16 = 100;
/// How long to hold one: well below the half hour that RabbitMQ leaves a delivery unacknowledged.
const RENEW: Duration = Duration::from_mins(5);

/// What a baton's task tells the loop.
pub(super) enum BatonReport {
    /// It is here.
    Held(ServedId),
    /// It is not here any more; or it is, as it was wanted, no longer asked for.
    Left(ServedId),
    /// The broker can't be used, and to try again won't help.
    Failed(Error),
}

/// The tasks of all batons.
pub(super) struct Batons {
    tasks: JoinSet<()>,
    reports: mpsc::Receiver<BatonReport>,
    hands: Vec<Hand>,
    closing: CancellationToken,
}

/// What the loop's side has of a task.
struct Hand {
    queue: ServedId,
    /// Whether the baton is wanted.
    wanted: watch::Sender<bool>,
    /// Why it can't be asked for.
    trouble: watch::Receiver<Option<String>>,
}

impl Batons {
    /// Asks for all of them.
    pub(super) fn start<B: Broker>(broker: &B, batons: impl Iterator<Item = (ServedId, QueueSpec)>) -> Self {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let closing = CancellationToken::new();
        let (mut tasks, mut hands) = (JoinSet::new(), Vec::new());
        for (queue, spec) in batons {
            let (wanted, is_wanted) = watch::channel(true);
            let (troubled, trouble) = watch::channel(Some(format!("{}: starting", spec.name)));
            hands.push(Hand { queue, wanted, trouble });
            let (broker, reports, closing) = (broker.clone(), sender.clone(), closing.clone());
            let task = BatonTask { queue, spec, broker, reports, is_wanted, troubled };
            tasks.spawn(async move {
                let _ = closing.run_until_cancelled(task.run()).await;
            });
        }
        Self { tasks, reports, hands, closing }
    }

    /// Waits for the next report. Pending for ever if there is no baton. Safe to cancel.
    pub(super) async fn next(&mut self) -> BatonReport {
        match self.reports.recv().await {
            Some(report) => report,
            None => std::future::pending().await,
        }
    }

    /// Says whether a baton is wanted. When it no longer is, [`BatonReport::Left`] follows.
    pub(super) fn want(&self, queue: ServedId, is_wanted: bool) {
        for hand in self.hands.iter().filter(|hand| hand.queue == queue) {
            hand.wanted.send_replace(is_wanted);
        }
    }

    /// Returns what keeps the first one from being asked for.
    pub(super) fn trouble(&self) -> Option<String> {
        self.hands.iter().find_map(|hand| hand.trouble.borrow().clone())
    }

    /// Gives all of them back.
    pub(super) async fn close(mut self) {
        self.closing.cancel();
        self.reports.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

struct BatonTask<B: Broker> {
    queue: ServedId,
    spec: QueueSpec,
    broker: B,
    reports: mpsc::Sender<BatonReport>,
    is_wanted: watch::Receiver<bool>,
    troubled: watch::Sender<Option<String>>,
}

impl<B: Broker> BatonTask<B> {
    /// Asks and holds while it is wanted; after a loss it waits, longer each time, and asks again (H22).
    async fn run(mut self) {
        let mut backoff = Backoff::new(WAIT.0, WAIT.1);
        loop {
            becomes(&mut self.is_wanted, true).await;
            let (since, mut is_wanted) = (Instant::now(), self.is_wanted.clone());
            let failure = select! {
                failure = self.hold() => Some(failure),
                () = becomes(&mut is_wanted, false) => None,
            };
            if let Some(failure) = &failure {
                // The health check tells it to people, once, if it lasts.
                tracing::debug!(queue = self.spec.name, %failure, "the baton is not here");
            }
            self.troubled.send_replace(failure.as_ref().map(|failure| format!("{}: {failure}", self.spec.name)));
            let report = match failure {
                Some(Failure::Broker(error @ Error::Address { .. })) => BatonReport::Failed(error),
                Some(_) | None => BatonReport::Left(self.queue),
            };
            if self.reports.send(report).await.is_err() {
                return;
            }
            if since.elapsed() >= WELL_AFTER {
                backoff.reset();
            }
            if *self.is_wanted.borrow() {
                sleep(backoff.next(chance())).await;
            }
        }
    }

    /// Leaves a baton, waits for one, and keeps it until it is lost; dropped, it gives it back.
    async fn hold(&self) -> Failure {
        match self.try_to_hold().await {
            Ok(never) => match never {},
            Err(failure) => failure,
        }
    }

    async fn try_to_hold(&self) -> Result<std::convert::Infallible, Failure> {
        self.broker.declare(&self.spec).await?;
        let publisher = self.broker.publisher().await?;
        let mut consumer = self.broker.consume(&self.spec.name, PREFETCH).await?;
        self.leave_one(&publisher).await?;
        self.troubled.send_replace(None);
        let mut renewal = interval_at(Instant::now() + RENEW, RENEW);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut held = None;
        loop {
            select! {
                batons = consumer.next(PREFETCH.into()) => {
                    let is_first = held.is_none();
                    let batons = batons.ok_or(Failure::Lost)?;
                    keep_newest(&batons, &mut held, &consumer.acker()).await?;
                    if is_first {
                        tracing::info!(queue = self.spec.name, "holding the baton");
                        let _ = self.reports.send(BatonReport::Held(self.queue)).await;
                    }
                }
                _ = renewal.tick(), if held.is_some() => self.leave_one(&publisher).await?,
            }
        }
    }

    async fn leave_one(&self, publisher: &B::Publisher) -> Result<(), Failure> {
        let message = Message { kind: Some("baton".into()), ..Message::default() };
        let to = Address::Queue(self.spec.name.as_str().into());
        let publication = Publication { to, mandatory: true, packs: false, message };
        publisher.publish_one(publication).await.map_err(Failure::NotTaken)
    }
}

/// Holds the last one that came, and acknowledges those before it.
async fn keep_newest(batons: &[Delivery], held: &mut Option<u64>, acker: &impl Acker) -> Result<(), Error> {
    for Delivery { tag, .. } in batons {
        if let Some(before) = held.replace(*tag) {
            acker.ack(before, false).await?;
        }
    }
    Ok(())
}

/// Why a baton is not here.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot {0}")]
    Broker(#[from] Error),
    #[error("takes no baton: {0}")]
    NotTaken(String),
    #[error("its channel is lost")]
    Lost,
}

#[cfg(test)]
#[path = "batons_test.rs"]
mod test;
