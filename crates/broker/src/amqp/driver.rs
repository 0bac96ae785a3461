//! The task that owns a publishing channel: sends batches in order and collects their confirms.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use uuid::Uuid;

use super::{
    AmqpConfig,
    convert::{check, exchange_and_key, to_properties},
    error::why,
    full::Full,
    ledger::{Ledger, ReturnKey, Sequence},
    link::Link,
    refusals::Refusals,
};
use crate::{Publication, Published, Result};

/// No further batch is begun while this many publications wait for their confirm: their bodies are held meanwhile.
const OPEN_MAX: usize = 4096;

/// How often to look for confirms that are missing, and how old such a one is at least.
const LOOK: Duration = Duration::from_secs(2);

/// Batches that wait for their turn at a publisher.
const BATCHES_MAX: usize = 16;

/// A batch, and where its results go.
pub(super) struct Job {
    pub(super) batch: Vec<Publication>,
    pub(super) reply: oneshot::Sender<Vec<Published>>,
}

/// How to reach a driver.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    pub(super) jobs: mpsc::Sender<Job>,
    /// Why it ended; set before it stops to take jobs.
    pub(super) end: Arc<OnceLock<String>>,
}

type Confirm = BoxFuture<'static, (Sequence, lapin::Result<Confirmation>)>;

/// Opens a channel in confirm mode.
pub(super) async fn open(link: &Link) -> Result<Channel> {
    let channel = link.channel().await?;
    link.asker().ask(channel.confirm_select(ConfirmSelectOptions::default())).await?;
    Ok(channel)
}

/// Owns a channel in confirm mode. Ends, and closes it, with the first loss or with its last handle.
pub(super) struct Driver {
    channel: Channel,
    /// Where to get another channel once this one is stale; `None` if it can't be replaced.
    link: Option<Arc<Link>>,
    jobs: mpsc::Receiver<Job>,
    end: Arc<OnceLock<String>>,
    ledger: Ledger,
    confirms: FuturesUnordered<Confirm>,
    confirm_timeout: Duration,
    body_bytes_max: usize,
    /// Set by the first confirm that fails.
    broken: Option<String>,
}

impl Driver {
    /// Starts the driver of a channel in confirm mode. Once it is stale it is replaced by another of `link`, or ends.
    pub(super) fn start(channel: Channel, link: Option<Arc<Link>>, full: Full, config: &AmqpConfig) -> Handle {
        let (sender, jobs) = mpsc::channel(BATCHES_MAX);
        let end = Arc::new(OnceLock::new());
        let driver = Self {
            channel,
            link,
            jobs,
            end: end.clone(),
            ledger: Ledger::new(Refusals::new(config.refusal_patience), full),
            confirms: FuturesUnordered::new(),
            confirm_timeout: config.confirm_timeout,
            body_bytes_max: config.body_bytes_max,
            broken: None,
        };
        tokio::spawn(driver.run());
        Handle { jobs: sender, end }
    }

    async fn run(mut self) {
        let mut has_handles = true;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.broken.is_none() && (has_handles || self.ledger.open() > 0) {
            let is_stale = self.ledger.refusals.is_stale();
            if is_stale && self.ledger.open() == 0 {
                self.renew().await;
                continue;
            }
            let deadline = self.ledger.oldest().map(|since| since + self.confirm_timeout);
            let takes_jobs = has_handles && !is_stale && !self.ledger.is_draining() && self.ledger.open() < OPEN_MAX;
            tokio::select! {
                biased;
                Some((sequence, confirm)) = self.confirms.next() => {
                    self.note(sequence, confirm);
                    self.note_all_that_came().await;
                    self.ledger.settle();
                    if let Some(queue) = self.ledger.overtaken() {
                        self.broken = Some(format!("queue {queue} has forgotten a message that it had yet to confirm"));
                    }
                }
                job = self.jobs.recv(), if takes_jobs => match job {
                    Some(job) => self.publish(job),
                    None => has_handles = false,
                },
                now = looks.tick(), if deadline.is_some() => {
                    self.ledger.suspect(now.into_std().checked_sub(LOOK).unwrap_or_else(Instant::now));
                }
                () = sleep_until(deadline) => {
                    self.broken = Some(format!("no confirm within {:?}", self.confirm_timeout));
                }
            }
        }
        self.finish().await;
    }

    /// Goes on with another channel. Nothing is open on this one, so that order holds.
    async fn renew(&mut self) {
        let Some(link) = &self.link else {
            self.broken = Some("the broker takes nothing for a queue: another channel is needed".into());
            return;
        };
        tracing::info!("the broker takes nothing for a queue, trying another channel");
        match open(link).await {
            Ok(channel) => {
                let old = std::mem::replace(&mut self.channel, channel);
                // Fails if it is closed already, which is as good.
                let _ = tokio::time::timeout(self.confirm_timeout, old.close(200, "stale".into())).await;
                self.ledger.refusals.renewed();
            }
            Err(error) => self.broken = Some(error.to_string()),
        }
    }

    /// Writes a batch to the channel, in order. The first poll of each future hands its frames to lapin.
    fn publish(&mut self, Job { batch, reply }: Job) {
        let (now, id) = (Instant::now(), self.ledger.begin(batch.len(), reply));
        for (index, mut publication) in batch.into_iter().enumerate() {
            if publication.mandatory && publication.message.message_id.is_none() {
                publication.message.message_id = Some(Uuid::new_v4().to_string().into());
            }
            if let Err(why) = check(&publication.to, &publication.message, self.body_bytes_max) {
                tracing::warn!(to = ?publication.to, why, "message can't be sent");
                self.ledger.decided(id, index, Published::Refused(why));
                continue;
            }
            let sequence = self.ledger.sent(id, index, return_key(&publication), now);
            let mut confirm = send(self.channel.clone(), sequence, publication);
            match (&mut confirm).now_or_never() {
                Some((sequence, confirm)) => self.note(sequence, confirm),
                None => self.confirms.push(confirm),
            }
        }
        self.ledger.settle();
    }

    fn note(&mut self, sequence: Sequence, confirm: lapin::Result<Confirmation>) {
        match confirm {
            Ok(Confirmation::Ack(returned)) => self.ledger.confirmed(sequence, true, returned.map(key_of)),
            Ok(Confirmation::Nack(returned)) => self.ledger.confirmed(sequence, false, returned.map(key_of)),
            Ok(Confirmation::NotRequested) => self.lose(sequence, "the channel is not in confirm mode".into()),
            Err(error) => self.lose(sequence, why(&error)),
        }
    }

    fn lose(&mut self, sequence: Sequence, why: String) {
        self.ledger.lost(sequence, &why);
        self.broken.get_or_insert(why);
    }

    /// Notes every confirm that has completed. Twice, because a poll may stop early out of fairness: a confirm may be
    /// settled only when those that completed before it, and may carry its returned message, are noted.
    async fn note_all_that_came(&mut self) {
        for _ in 0..2 {
            while let Some(Some((sequence, confirm))) = self.confirms.next().now_or_never() {
                self.note(sequence, confirm);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn finish(mut self) {
        let why = self.broken.take().unwrap_or_else(|| "the publisher is closed".into());
        let why = self.end.get_or_init(|| why).clone();
        self.jobs.close();
        self.ledger.lose_all(&why);
        // Nothing more was written to a channel that had gone stale, so nobody can have what waited for another.
        let fate = if self.ledger.refusals.is_stale() { Published::Refused(why) } else { Published::Lost(why) };
        while let Ok(Job { batch, reply }) = self.jobs.try_recv() {
            let _ = reply.send(vec![fate.clone(); batch.len()]);
        }
        // Fails if the channel is closed already, which is as good.
        let _ = tokio::time::timeout(self.confirm_timeout, self.channel.close(200, "done".into())).await;
    }
}

fn send(channel: Channel, sequence: Sequence, publication: Publication) -> Confirm {
    Box::pin(async move {
        let Publication { to, mandatory, message, .. } = publication;
        let (exchange, key) = exchange_and_key(&to);
        let options = BasicPublishOptions { mandatory, immediate: false };
        let properties = to_properties(&message);
        match channel.basic_publish((&*exchange).into(), (&*key).into(), options, &message.body, properties).await {
            Ok(confirm) => (sequence, confirm.await),
            Err(error) => (sequence, Err(error)),
        }
    })
}

fn return_key(publication: &Publication) -> Option<ReturnKey> {
    let message_id = publication.message.message_id.clone().filter(|_| publication.mandatory)?;
    let (exchange, routing_key) = exchange_and_key(&publication.to);
    Some(ReturnKey { message_id, exchange, routing_key })
}

fn key_of(returned: BasicReturnMessage) -> ReturnKey {
    let delivery = returned.delivery;
    ReturnKey {
        message_id: delivery.properties.message_id().as_ref().map(|id| id.as_str().into()).unwrap_or_default(),
        exchange: delivery.exchange.as_str().into(),
        routing_key: delivery.routing_key.as_str().into(),
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
