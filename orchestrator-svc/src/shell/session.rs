//! One session of one partition: moves bytes between the owner, the broker and the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinSet,
    time::Instant,
};
use warren_broker::{Acker, Broker, Consumer, Delivery, Publisher};
use warren_engine::Identity;
use warren_model::Partition;
use warren_store::{Epoch, Store};

use super::{
    Replica,
    clock::Clock,
    lane::{accuse, write},
    publish::{declare_missing, lost},
    thread::Thread,
    watchdog::{Board, Watched},
};
use crate::owner::{self, Effect, Input};

/// How long a session may take to finish what has arrived when it is told to drain.
const DRAIN_MAX: Duration = Duration::from_secs(10);

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
    /// The owner's thread has panicked: the next session must be wary.
    Panicked,
    /// A turn does not return, and its thread can't be stopped: the process must end.
    Hung(Identity),
}

/// By what right a session owns its partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenure {
    pub(crate) partition: Partition,
    pub(crate) epoch: Epoch,
    /// Whether the owner before ended without a word.
    pub(crate) is_after_crash: bool,
}

/// Owns a partition until told otherwise or until something fails. On return its channel is closed, and nothing of it
/// is written or published any more.
pub(crate) async fn run<S: Store, B: Broker>(
    replica: &Replica<S, B>,
    clock: Clock,
    tenure: Tenure,
    (suspects, has_begun): (&Arc<Mutex<()>>, &AtomicBool),
    mut orders: watch::Receiver<Order>,
) -> End {
    let begun = tokio::select! {
        begun = Session::begin(replica, clock, tenure, suspects) => begun,
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

struct Session<'a, S: Store, B: Broker> {
    replica: &'a Replica<S, B>,
    partition: Partition,
    epoch: Epoch,
    consumer: B::Consumer,
    acker: <B::Consumer as Consumer>::Acker,
    publisher: B::Publisher,
    thread: Thread,
    /// Writes in order: each commit before the next, and before what reads what it wrote.
    writer: mpsc::UnboundedSender<Effect>,
    /// Says which turn does not return.
    hangs: oneshot::Receiver<Identity>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl<'a, S: Store, B: Broker> Session<'a, S, B> {
    async fn begin(
        replica: &'a Replica<S, B>,
        clock: Clock,
        tenure: Tenure,
        suspects: &Arc<Mutex<()>>,
    ) -> anyhow::Result<Self> {
        let Tenure { partition, epoch, is_after_crash } = tenure;
        let queue = replica.codec.topology().control(partition);
        replica.broker.declare(&queue).await?;
        let publisher = replica.broker.publisher().await?;
        let state = replica.store.partition(partition, epoch).await?;
        let consumer = replica.broker.consume(&queue.name, replica.prefetch).await?;
        let session = owner::Session { partition, epoch, codec: replica.codec.clone(), state, is_after_crash };
        let board = Board::default();
        let programs = Watched { programs: replica.registry.clone(), board: board.clone() };
        let thread = Thread::spawn(session, programs, replica.owner, clock)?;
        let (writer, wanted) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let (hung, hangs) = oneshot::channel();
        tasks.spawn(write(replica.store.clone(), partition, epoch, wanted, thread.inputs.clone(), suspects.clone()));
        tasks.spawn(watch_turns(board, partition, replica.turn_warn, replica.turn_limit, hung));
        let acker = consumer.acker();
        Ok(Self { replica, partition, epoch, consumer, acker, publisher, thread, writer, hangs, tasks })
    }

    async fn serve(mut self, mut orders: watch::Receiver<Order>) -> End {
        let end = self.pump(&mut orders).await;
        self.tasks.shutdown().await;
        let Self { replica, partition, epoch, consumer, thread, .. } = self;
        drop(consumer);
        let Thread { inputs, effects, ended } = thread;
        drop((inputs, effects));
        if let End::Hung(identity) = &end {
            accuse(&replica.store, partition, epoch, identity, replica.turn_limit.as_secs()).await;
        } else if tokio::time::timeout(Duration::from_secs(1), ended).await.is_err() {
            tracing::warn!(%partition, "a turn is still running after its session has ended");
        }
        end
    }

    /// Deliveries in, effects out, until the end. Acknowledges only what the owner says, which is after its commit.
    async fn pump(&mut self, orders: &mut watch::Receiver<Order>) -> End {
        let mut is_consuming = true;
        let mut deadline = None;
        loop {
            let late = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                changed = orders.changed() => {
                    let order = if changed.is_ok() { *orders.borrow_and_update() } else { Order::Stop };
                    deadline = Some(Instant::now() + DRAIN_MAX);
                    obey(&self.acker, order).await
                }
                deliveries = self.consumer.next(self.replica.owner.batch), if is_consuming => {
                    is_consuming = deliveries.is_some();
                    self.arrive(deliveries, *orders.borrow())
                }
                effect = self.thread.effects.recv() => match effect {
                    Some(Effect::Drained) => Err(End::Drained),
                    Some(effect) => self.act(effect).await.map_err(End::Failed),
                    None => Err(End::Panicked),
                },
                Some(task) = self.tasks.join_next() => match task {
                    Ok(done) => done.map_err(End::Failed),
                    Err(error) => Err(End::Failed(error.into())),
                },
                Ok(identity) = &mut self.hangs => Err(End::Hung(identity)),
                () = late => Err(failed("draining took too long")),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Hands deliveries to the owner. Their end is expected when draining; else the channel is lost.
    fn arrive(&self, deliveries: Option<Vec<Delivery>>, order: Order) -> Result<(), End> {
        match deliveries {
            Some(deliveries) => self.tell(Input::Delivered(deliveries)),
            None if order == Order::Drain => self.tell(Input::Drain),
            None => return Err(failed("the broker closed the channel or deleted the control queue")),
        }
        Ok(())
    }

    /// Passes word to the owner; if its thread is gone, `effects` says so.
    fn tell(&self, input: Input) {
        let _ = self.thread.inputs.send(input);
    }

    async fn act(&mut self, effect: Effect) -> anyhow::Result<()> {
        let (store, inputs) = (self.replica.store.clone(), self.thread.inputs.clone());
        let (partition, epoch) = (self.partition, self.epoch);
        match effect {
            Effect::Load(load) => {
                self.tasks.spawn(async move {
                    let loaded = store.load(partition, epoch, load).await?;
                    answer(&inputs, Input::Loaded(loaded))
                });
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
            Effect::Ack(tag) => self.acker.ack(tag, true).await?,
            Effect::Commit(_) | Effect::ReadTimers { .. } | Effect::Expire { .. } => self.writer.send(effect)?,
            Effect::Drained => {}
        }
        Ok(())
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

/// Looks at the running turn for as long as the session lasts.
///
/// How long a turn has run is counted in looks at it, not by the clock: a process that was frozen has not let it run.
async fn watch_turns(
    board: Board,
    partition: Partition,
    warn_after: Duration,
    limit: Duration,
    hung: oneshot::Sender<Identity>,
) -> anyhow::Result<()> {
    let pause = (warn_after / 2).min(limit / 4).max(Duration::from_millis(1));
    loop {
        tokio::time::sleep(pause).await;
        if let Some(identity) = board.check(partition, pause, warn_after, limit) {
            let _ = hung.send(identity);
            return std::future::pending().await;
        }
    }
}

/// Passes a result to the owner. A thread that is gone is noticed elsewhere.
#[expect(clippy::unnecessary_wraps, reason = "the last expression of tasks that may fail")]
pub(super) fn answer(inputs: &Sender<Input>, input: Input) -> anyhow::Result<()> {
    let _ = inputs.send(input);
    Ok(())
}
