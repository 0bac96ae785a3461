//! One session of one partition: moves bytes between the owner, the broker and the store.

use std::{sync::mpsc::Sender, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};
use warren_broker::{
    Acker, Address, Broker, Consumer, Delivery, Publication, Published, Publisher, QueueKind, QueueSpec,
};
use warren_model::Partition;
use warren_store::{Epoch, Store};

use super::{
    Replica,
    clock::Clock,
    thread::Thread,
    watchdog::{Board, Watched},
};
use crate::owner::{self, Effect, Input};

/// How long a session may take to finish what has arrived when it is told to drain.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Most expired rows that are removed at a time.
const EXPIRE_MAX: usize = 1_000;

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
}

/// Owns `partition` until told otherwise or until something fails. On return its channel is closed, and nothing of it
/// is written or published any more.
pub(crate) async fn run<S: Store, B: Broker>(
    replica: &Replica<S, B>,
    clock: Clock,
    partition: Partition,
    epoch: Epoch,
    mut orders: watch::Receiver<Order>,
) -> End {
    let begun = tokio::select! {
        begun = Session::begin(replica, clock, partition, epoch) => begun,
        end = told_to_end(&mut orders) => return end,
    };
    match begun {
        Ok(session) => session.serve(orders).await,
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
    tasks: JoinSet<anyhow::Result<()>>,
}

impl<'a, S: Store, B: Broker> Session<'a, S, B> {
    async fn begin(
        replica: &'a Replica<S, B>,
        clock: Clock,
        partition: Partition,
        epoch: Epoch,
    ) -> anyhow::Result<Self> {
        let queue = replica.codec.topology().control(partition);
        replica.broker.declare(&queue).await?;
        let publisher = replica.broker.publisher().await?;
        let state = replica.store.partition(partition, epoch).await?;
        let consumer = replica.broker.consume(&queue.name, replica.prefetch).await?;
        let session = owner::Session { partition, epoch, codec: replica.codec.clone(), state };
        let board = Board::default();
        let programs = Watched { programs: replica.registry.clone(), board: board.clone() };
        let thread = Thread::spawn(session, programs, replica.owner, clock)?;
        let (writer, wanted) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(write(replica.store.clone(), partition, epoch, wanted, thread.inputs.clone()));
        tasks.spawn(watch_turns(board, partition, replica.turn_warn));
        let acker = consumer.acker();
        Ok(Self { replica, partition, epoch, consumer, acker, publisher, thread, writer, tasks })
    }

    async fn serve(mut self, mut orders: watch::Receiver<Order>) -> End {
        let end = self.pump(&mut orders).await;
        self.tasks.shutdown().await;
        let Self { consumer, thread, .. } = self;
        drop(consumer);
        let Thread { inputs, effects, ended } = thread;
        drop((inputs, effects));
        if tokio::time::timeout(Duration::from_secs(1), ended).await.is_err() {
            tracing::warn!(partition = %self.partition, "a turn is still running after its session has ended");
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
                    None => Err(failed("the owner's thread has panicked, which is a bug: please report it")),
                },
                Some(task) = self.tasks.join_next() => match task {
                    Ok(done) => done.map_err(End::Failed),
                    Err(error) => Err(End::Failed(error.into())),
                },
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
async fn watch_turns(board: Board, partition: Partition, warn_after: Duration) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(warn_after / 2).await;
        board.check(partition, warn_after);
    }
}

/// The lane of writes: one at a time, in order. Ends at the first failure, and the session with it.
async fn write<S: Store>(
    store: S,
    partition: Partition,
    epoch: Epoch,
    mut wanted: mpsc::UnboundedReceiver<Effect>,
    inputs: Sender<Input>,
) -> anyhow::Result<()> {
    while let Some(effect) = wanted.recv().await {
        match effect {
            Effect::Commit(commit) => {
                let number = commit.number;
                store.commit(*commit).await?;
                answer(&inputs, Input::Committed(number))?;
            }
            Effect::ReadTimers { until, limit } => {
                let rows = store.timers(partition, epoch, until, limit).await?;
                answer(&inputs, Input::Timers(rows))?;
            }
            Effect::Expire { answered_before, now } => {
                let rows = store.expire(partition, epoch, answered_before, now, EXPIRE_MAX).await?;
                answer(&inputs, Input::Expired(rows))?;
            }
            Effect::Load(_) | Effect::ReadTurns { .. } | Effect::Publish { .. } | Effect::Ack(_) | Effect::Drained => {}
        }
    }
    Ok(())
}

/// Fails if a publication was lost: its channel publishes nothing any more.
fn lost(results: &[Published]) -> anyhow::Result<()> {
    match results.iter().find(|result| matches!(result, Published::Lost(_))) {
        Some(Published::Lost(why)) => anyhow::bail!("the channel that publishes was lost: {why}"),
        Some(_) | None => Ok(()),
    }
}

/// Passes a result to the owner. A thread that is gone is noticed elsewhere.
#[expect(clippy::unnecessary_wraps, reason = "the last expression of tasks that may fail")]
fn answer(inputs: &Sender<Input>, input: Input) -> anyhow::Result<()> {
    let _ = inputs.send(input);
    Ok(())
}

/// Makes the queues that returned messages were meant for; the owner publishes them again.
pub(super) async fn declare_missing<B: Broker>(
    broker: &B,
    topology: &warren_broker::Topology,
    addresses: &[Address],
    results: &[Published],
) {
    let returned = addresses.iter().zip(results).filter(|(_, result)| **result == Published::Returned);
    let mut missing: Vec<&str> =
        returned.filter_map(|(to, _)| if let Address::Queue(name) = to { Some(name.as_str()) } else { None }).collect();
    missing.sort_unstable();
    missing.dedup();
    for name in missing {
        let kind = if topology.partition_of_control(name).is_some() {
            QueueKind::Control
        } else if topology.dead().name == name {
            QueueKind::Dead
        } else if topology.is_engine_queue(name) {
            QueueKind::Work
        } else {
            continue; // a client's own queue, which is gone
        };
        match broker.declare(&QueueSpec { name: name.into(), kind }).await {
            Ok(()) => tracing::info!(queue = name, "queue was missing, declared"),
            Err(error) => {
                tracing::warn!(queue = name, %error, "queue is missing and can't be declared, its messages wait")
            }
        }
    }
}

/// Publishes until everything is confirmed, for messages whose originals wait unacknowledged.
pub(super) async fn publish_all<B: Broker>(
    broker: &B,
    topology: &warren_broker::Topology,
    publisher: &B::Publisher,
    mut batch: Vec<Publication>,
) -> anyhow::Result<()> {
    let mut pause = Duration::from_millis(50);
    while !batch.is_empty() {
        let addresses: Vec<Address> = batch.iter().map(|publication| publication.to.clone()).collect();
        let results = publisher.publish(batch.clone()).await;
        lost(&results)?;
        declare_missing(broker, topology, &addresses, &results).await;
        let mut results = results.iter();
        batch.retain(|publication| {
            let result = results.next();
            let is_safe = result == Some(&Published::Confirmed)
                || (result == Some(&Published::Returned) && !publication.mandatory);
            !is_safe
        });
        if !batch.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
    Ok(())
}
