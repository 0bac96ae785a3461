//! One session of one partition: moves bytes between the owner, the broker and the store.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use warren::Registry;
use warren_broker::{Acker, Broker, Consumer, Delivery, Publisher};
use warren_engine::Identity;
use warren_model::Partition;
use warren_store::{Epoch, Store};

use super::{
    Replica,
    clock::Clock,
    group::Reader,
    metrics::Metrics,
    publish::{declare_missing, lost},
    thread::{Place, others_first, outside},
    watchdog::{Board, Watched},
    writes::write,
};
use crate::owner::{self, Effect, Input, Owner};

/// How long a session may take to finish what has arrived when it is told to drain.
pub(super) const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long an acknowledgement waits for others. It costs the broker a write as a message does, and what follows from a
/// message should not wait behind its acknowledgement; meanwhile a crash has a few more messages delivered again.
const ACK_AFTER: Duration = Duration::from_millis(10);
/// Which share of what the broker hands over may wait for its acknowledgement.
const ACK_SHARE: u64 = 4;
/// How often the thread's other tasks run before another batch: the commit of the last one goes through three of them to
/// the database, and is written while that batch runs.
const OTHERS_FIRST: usize = 10;
/// How long a session that wants nothing sleeps at most.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// What a partition's session is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Own the partition.
    Go,
    /// Finish what has arrived, then end.
    Drain,
    /// End at once: the lease is lost or may be.
    Stop,
}

/// How a session ended.
#[derive(Debug)]
pub(crate) enum End {
    /// Everything that arrived is committed, published and acknowledged.
    Drained,
    /// The lease is lost, or may be.
    Stopped,
    /// The broker, the store or the owner failed; another session may begin.
    Failed(anyhow::Error),
    /// The owner has panicked: the next session must be wary.
    Panicked,
    /// A turn does not return, and its thread can't be stopped: the process must end.
    Hung(Identity),
}

impl End {
    /// Returns what it is counted as.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
            Self::Panicked => "panicked",
            Self::Hung(_) => "hung",
        }
    }
}

/// By what right a session owns its partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenure {
    pub(crate) partition: Partition,
    pub(crate) epoch: Epoch,
    /// Whether the owner before ended without a word.
    pub(crate) is_after_crash: bool,
    /// Whether a sender has lately ended a session by vouching wrongly for its ids.
    pub(crate) is_misled: bool,
}

/// What a session and those who look after it share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    /// Held by the partition that runs suspects.
    pub(crate) suspects: Arc<Mutex<()>>,
    /// Whether it has begun: its control queue is there, and consumed.
    pub(crate) has_begun: Arc<AtomicBool>,
    /// Which turn is running.
    pub(crate) board: Board,
}

/// Owns a partition until told otherwise or until something fails. On return its channel is closed, and nothing of it
/// is published any more; what was sent to the store may still be written. Stays on the thread where it is first polled.
pub(crate) async fn run<S: Store, B: Broker>(
    replica: Arc<Replica<S, B>>,
    place: Place<S>,
    tenure: Tenure,
    shared: Shared,
    mut orders: watch::Receiver<Order>,
) -> End {
    let has_begun = shared.has_begun.clone();
    let begun = tokio::select! {
        begun = Session::begin(replica, place, tenure, shared) => begun,
        end = told_to_end(&mut orders) => return end,
    };
    match begun {
        Ok(session) => {
            has_begun.store(true, Ordering::Relaxed);
            session.serve(orders).await
        }
        Err(error) => End::Failed(error),
    }
}

/// Waits for the order to end; a session that has not begun has nothing to drain.
async fn told_to_end(orders: &mut watch::Receiver<Order>) -> End {
    match orders.wait_for(|order| *order != Order::Go).await.as_deref() {
        Ok(Order::Drain) => End::Drained,
        Ok(Order::Stop | Order::Go) | Err(_) => End::Stopped,
    }
}

struct Session<S: Store, B: Broker> {
    replica: Arc<Replica<S, B>>,
    store: S,
    reader: Reader,
    partition: Partition,
    epoch: Epoch,
    clock: Clock,
    consumer: B::Consumer,
    acker: <B::Consumer as Consumer>::Acker,
    acks: Acks,
    publisher: B::Publisher,
    owner: Owner<Watched<Registry>>,
    metrics: Metrics,
    /// What the owner wants done.
    effects: Vec<Effect>,
    /// What is to be told to the owner. Both ends are here: what has been asked for bounds what comes.
    inputs: (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
    /// Writes in order: each commit before the next, and before what reads what it wrote.
    writer: mpsc::UnboundedSender<Effect>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl<S: Store, B: Broker> Session<S, B> {
    async fn begin(
        replica: Arc<Replica<S, B>>,
        place: Place<S>,
        tenure: Tenure,
        shared: Shared,
    ) -> anyhow::Result<Self> {
        let Tenure { partition, epoch, is_after_crash, is_misled } = tenure;
        let Shared { clock, suspects, board, .. } = shared;
        let queue = replica.codec.topology().control(partition);
        replica.broker.declare(&queue).await?;
        let publisher = replica.broker.publisher().await?;
        let Place { store, writer: commits, reader } = place;
        let state = store.partition(partition, epoch).await?;
        let consumer = replica.broker.consume(&queue.name, replica.prefetch).await?;
        let acker = consumer.acker();
        let codec = replica.codec.clone();
        let session = owner::Session { partition, epoch, codec, state, is_after_crash, is_misled };
        let metrics = Metrics::new(replica.registry.orchestrators().map(|known| known.name));
        let programs = Watched { programs: replica.registry.clone(), board };
        let mut effects = Vec::new();
        let owner = outside(|| Owner::new(session, programs, replica.owner, clock.now(), &mut effects));
        let (writer, wanted) = mpsc::unbounded_channel();
        let inputs = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(write((store.clone(), commits), (partition, epoch), wanted, inputs.0.clone(), suspects));
        Ok(Self {
            replica,
            store,
            reader,
            partition,
            epoch,
            clock,
            consumer,
            acker,
            acks: Acks::default(),
            publisher,
            owner,
            metrics,
            effects,
            inputs,
            writer,
            tasks,
        })
    }

    async fn serve(mut self, mut orders: watch::Receiver<Order>) -> End {
        let end = self.pump(&mut orders).await;
        self.tasks.shutdown().await;
        end
    }

    /// Deliveries in, effects out, until the end. Acknowledges only what the owner says, which is after its commit.
    async fn pump(&mut self, orders: &mut watch::Receiver<Order>) -> End {
        let mut is_consuming = true;
        let mut deadline = None;
        loop {
            let is_drained = self.effects.iter().any(|effect| matches!(effect, Effect::Drained));
            if let Err(error) = self.act_on_all(is_drained).await {
                return End::Failed(error);
            }
            if is_drained {
                return End::Drained;
            }
            if self.owner.has_more() {
                others_first(OTHERS_FIRST).await;
            }
            let wait = Duration::try_from(self.owner.wakes_at().duration_since(self.clock.now())).unwrap_or_default();
            let input = tokio::select! {
                biased; // what was asked for comes before what is new
                changed = orders.changed() => {
                    let order = if changed.is_ok() { *orders.borrow_and_update() } else { Order::Stop };
                    deadline = Some(Instant::now() + DRAIN_MAX);
                    obey(&self.acker, order).await.map(|()| None)
                }
                Some(task) = self.tasks.join_next() => match task {
                    Ok(done) => done.map(|()| None).map_err(End::Failed),
                    Err(error) => Err(End::Failed(error.into())),
                },
                Some(input) = self.inputs.1.recv() => Ok(Some(input)),
                deliveries = self.consumer.next(self.replica.owner.batch), if is_consuming => {
                    is_consuming = deliveries.is_some();
                    arrived(deliveries, *orders.borrow()).map(Some)
                }
                () = ready(()), if self.owner.has_more() => Ok(Some(Input::Tick)),
                () = at(self.acks.due()) => Ok(None),
                () = at(deadline) => Err(failed("draining took too long")),
                () = sleep(wait.min(SLEEP_MAX)) => Ok(Some(Input::Tick)),
            };
            match input {
                Ok(Some(input)) => {
                    self.metrics.told(&input);
                    outside(|| self.owner.step(input, self.clock.now(), &mut self.effects));
                    self.metrics.stepped(&mut self.owner);
                }
                Ok(None) => {}
                Err(end) => return end,
            }
        }
    }

    async fn act_on_all(&mut self, is_drained: bool) -> anyhow::Result<()> {
        for effect in std::mem::take(&mut self.effects) {
            self.metrics.asked(&effect);
            self.act(effect)?;
        }
        let many = u64::from(self.replica.prefetch) / ACK_SHARE;
        if let Some(tag) = self.acks.take(Instant::now(), many, is_drained) {
            self.acker.ack(tag, true).await?;
        }
        Ok(())
    }

    fn act(&mut self, effect: Effect) -> anyhow::Result<()> {
        let (store, inputs) = (self.store.clone(), self.inputs.0.clone());
        let (partition, epoch) = (self.partition, self.epoch);
        match effect {
            Effect::Load(load) => {
                let loading = self.reader.ask((partition, epoch, load));
                self.tasks.spawn(async move { answer(&inputs, Input::Loaded(loading.await?)) });
            }
            Effect::ReadTurns { number, keys } => {
                self.tasks.spawn(async move {
                    let rows = store.turns(partition, epoch, keys).await?;
                    answer(&inputs, Input::Turns { number, rows })
                });
            }
            Effect::Sweep(sweep) => {
                self.tasks.spawn(async move {
                    let swept = store.sweep(partition, epoch, sweep.clone()).await?;
                    answer(&inputs, Input::Swept { sweep, swept })
                });
            }
            Effect::Publish { ticket, batch } => {
                let (broker, publisher) = (self.replica.broker.clone(), self.publisher.clone());
                let topology = self.replica.codec.topology().clone();
                self.tasks.spawn(async move {
                    let addresses = batch.iter().map(|publication| publication.to.clone()).collect::<Vec<_>>();
                    let results = publisher.publish(batch).await;
                    lost(&results)?;
                    declare_missing(&broker, &topology, &addresses, &results).await;
                    answer(&inputs, Input::Published { ticket, results })
                });
            }
            Effect::Trace(spans) => spans.into_iter().for_each(|span| self.replica.tracer.send(span)),
            Effect::Ack(tag) => self.acks.add(tag, Instant::now()),
            Effect::Commit(_) | Effect::ReadTimers { .. } | Effect::Expire { .. } => self.writer.send(effect)?,
            Effect::Drained => {}
        }
        Ok(())
    }
}

/// What is to be acknowledged.
#[derive(Debug, Default)]
struct Acks {
    /// Everything up to a tag, and when it has waited long enough.
    waiting: Option<(u64, Instant)>,
    /// What the broker has been told.
    told: u64,
}

impl Acks {
    fn add(&mut self, tag: u64, now: Instant) {
        let due = self.due().unwrap_or(now + ACK_AFTER);
        self.waiting = Some((tag, due));
    }

    /// Returns what the broker is to be told now: what has waited, or is much (`many` messages), or all of it.
    fn take(&mut self, now: Instant, many: u64, all: bool) -> Option<u64> {
        let is_wanted = |(tag, due): &mut (u64, Instant)| all || *due <= now || tag.saturating_sub(self.told) >= many;
        let (tag, _) = self.waiting.take_if(is_wanted)?;
        self.told = tag;
        Some(tag)
    }

    fn due(&self) -> Option<Instant> {
        self.waiting.map(|(_, due)| due)
    }
}

/// Waits for a moment, if there is one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Returns what the owner is told of deliveries. Their end is expected when draining; else the channel is lost.
fn arrived(deliveries: Option<Vec<Delivery>>, order: Order) -> Result<Input, End> {
    match deliveries {
        Some(deliveries) => Ok(Input::Delivered(deliveries)),
        None if order == Order::Drain => Ok(Input::Drain),
        None => Err(failed("the broker closed the channel or deleted the control queue")),
    }
}

async fn obey(acker: &impl Acker, order: Order) -> Result<(), End> {
    match order {
        Order::Go => Ok(()),
        Order::Stop => Err(End::Stopped),
        Order::Drain => acker.cancel().await.map_err(|error| End::Failed(error.into())),
    }
}

fn failed(why: &'static str) -> End {
    End::Failed(anyhow::anyhow!(why))
}

/// Passes a result to the owner. A session that is gone does not want it.
#[expect(clippy::unnecessary_wraps, reason = "the last expression of tasks that may fail")]
pub(super) fn answer(inputs: &mpsc::UnboundedSender<Input>, input: Input) -> anyhow::Result<()> {
    let _ = inputs.send(input);
    Ok(())
}

#[cfg(test)]
#[path = "session_test.rs"]
mod test;
