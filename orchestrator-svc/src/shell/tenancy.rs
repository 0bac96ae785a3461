//! Holds this replica's share of the partitions: renews, takes, hands over, and runs a session for each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::{
    sync::{Mutex, oneshot, watch},
    task::{self, JoinSet},
    time::{MissedTickBehavior, interval, sleep_until, timeout, timeout_at},
};
use warren_broker::{Broker, Health};
use warren_model::{Partition, Timestamp};
use warren_store::{Epoch, Error, Lease, Store};

use super::{
    Hung, Replica,
    clock::Clock,
    metrics,
    session::{self, End, Order, Shared, Tenure},
    thread::Threads,
    watchdog::{Board, look_after},
};
use crate::leases::Leases;

/// Renewals per lease time.
const RENEWALS: u32 = 4;
/// Looks at the leases per lease time. A look is a read; how often decides how soon a lease that was released or has lapsed
/// is taken.
const LOOKS: u32 = 16;
/// Lease times after which a replica without a broker leaves its share to the others.
const PATIENCE: u32 = 3;

/// A partition that this process owns.
struct Held {
    epoch: Epoch,
    orders: watch::Sender<Order>,
    session: task::Id,
    /// Whether its session has begun: its control queue is there, and consumed.
    has_begun: Arc<AtomicBool>,
}

impl Held {
    fn order(&self) -> Order {
        *self.orders.borrow()
    }
}

pub(super) struct Tenancy<S, B> {
    replica: Arc<Replica<S, B>>,
    clock: Clock,
    leases: Leases,
    /// What the monotonic clock of `leases` counts from.
    begun: Instant,
    held: BTreeMap<Partition, Held>,
    threads: Threads<S>,
    sessions: JoinSet<End>,
    /// From before the last renewal was sent: another replica can't have counted from earlier.
    renewed: Instant,
    /// When to renew again.
    renew_at: Instant,
    /// Since when the broker can't be reached.
    alone: Option<Instant>,
    /// Partitions whose owner before is known to have ended without a word.
    orphaned: BTreeSet<Partition>,
    /// Partitions of which a sender has ended a session by vouching wrongly for its ids, and when.
    misled: BTreeMap<Partition, Instant>,
    /// Held by the partition that runs suspects.
    suspects: Arc<Mutex<()>>,
    /// A turn that does not return.
    hung: Option<Hung>,
    /// Whether the first sessions have begun: before that, whoever sends a command to a new hub finds no queue.
    is_settled: bool,
    /// How many replicas were seen to live, to say so when it changes.
    replicas: usize,
}

impl<S: Store, B: Broker> Tenancy<S, B> {
    pub(super) fn new(replica: Arc<Replica<S, B>>) -> Self {
        let now = Instant::now();
        Self {
            clock: Clock::new(Timestamp::UNIX_EPOCH), // set before the first session begins
            leases: Leases::new(&*replica.name, replica.lease * 7 / 8),
            begun: now,
            held: BTreeMap::new(),
            threads: Threads::start(replica.threads, &replica.store),
            sessions: JoinSet::new(),
            renewed: now,
            renew_at: now,
            alone: None,
            orphaned: replica.orphaned.clone(),
            misled: BTreeMap::new(),
            suspects: Arc::default(),
            hung: None,
            is_settled: false,
            replicas: 0,
            replica,
        }
    }

    /// Renews what is held, takes what is free and hands over what is more than its share, until a turn hangs.
    pub(super) async fn own(&mut self) -> Hung {
        let mut looks = interval(self.replica.lease / LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(hung) = self.hung.take() {
                return hung;
            }
            let lapse = self.lapse();
            tokio::select! {
                biased; // what has lapsed is given up before anything else is waited for
                () = sleep_until(lapse.into()), if self.is_owning() => self.stop_all(),
                Some(ended) = self.sessions.join_next_with_id() => self.has_ended(ended).await,
                _ = looks.tick() => {
                    self.report_broker();
                    self.look_in_time().await;
                }
            }
        }
    }

    /// Returns until when what is held may be used without another renewal: a while before another replica, which counts
    /// from when it saw that renewal, takes it (after seven eighths of the lease time).
    fn lapse(&self) -> Instant {
        self.renewed + self.replica.lease * 3 / 4
    }

    /// Returns whether a session has not been told to stop.
    fn is_owning(&self) -> bool {
        self.held.values().any(|held| held.order() != Order::Stop)
    }

    /// Returns until when an answer of the store may be waited for.
    fn patience(&self) -> Instant {
        if self.is_owning() { self.lapse() } else { Instant::now() + self.replica.lease }
    }

    /// A store that does not answer in time is as good as one that fails.
    async fn look_in_time(&mut self) {
        let looked = timeout_at(self.patience().into(), self.look()).await;
        match looked.unwrap_or_else(|_| Err(Error::Unavailable("it gives no answer".into()))) {
            Ok(()) => {
                let have_begun = self.held.values().all(|held| held.has_begun.load(Ordering::Relaxed));
                self.is_settled |= self.alone.is_none() && have_begun;
                if self.is_settled {
                    self.replica.health.pass("store");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "leases can't be renewed or taken");
                self.replica.health.fail("store", error.to_string());
            }
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let stands = self.stands();
        let before = Instant::now();
        if before >= self.renew_at {
            self.renew(stands).await?;
        }
        let survey = self.replica.store.survey().await?;
        self.clock.set(survey.now);
        let held = self.ordered(Order::Go);
        let giving = self.ordered(Order::Drain);
        let advice = self.leases.advise(survey, before.duration_since(self.begun), stands, &held, &giving);
        metrics::owns(held.len(), advice.replicas);
        if std::mem::replace(&mut self.replicas, advice.replicas) != advice.replicas {
            tracing::info!(replicas = advice.replicas, partitions = held.len(), "replicas share the partitions");
        }
        for partition in advice.give {
            tracing::info!(%partition, "partition is handed over, another replica has less than its share");
            self.order(partition, Order::Drain);
        }
        // Without a broker a session could not even begin.
        if self.alone.is_none() {
            self.take(advice.take, before).await?;
        }
        Ok(())
    }

    /// Returns whether this replica counts among those that share the partitions.
    fn stands(&self) -> bool {
        self.alone.is_none_or(|since| since.elapsed() < self.replica.lease * PATIENCE)
    }

    async fn renew(&mut self, stands: bool) -> Result<(), Error> {
        let (before, held) = (Instant::now(), self.held());
        let renewal = self.replica.store.renew(&self.replica.name, stands, &held).await?;
        self.renewed = before;
        self.renew_at = before + self.replica.lease / RENEWALS;
        self.clock.set(renewal.now);
        for partition in renewal.lost {
            tracing::warn!(%partition, "partition was taken over by another replica");
            self.order(partition, Order::Stop);
        }
        Ok(())
    }

    async fn take(&mut self, free: Vec<Lease>, before: Instant) -> Result<(), Error> {
        for lease in free {
            if let Some(epoch) = self.replica.store.acquire(&lease, &self.replica.name).await? {
                if self.held.is_empty() {
                    self.renewed = before;
                }
                let partition = lease.partition;
                let is_after_crash = lease.owner.is_some() | self.orphaned.remove(&partition);
                let distrust = self.replica.owner.distrust.unsigned_abs();
                let is_misled = self.misled.get(&partition).is_some_and(|since| since.elapsed() < distrust);
                self.begin(Tenure { partition, epoch, is_after_crash, is_misled });
            }
        }
        Ok(())
    }

    fn held(&self) -> Vec<(Partition, Epoch)> {
        self.held.iter().map(|(partition, held)| (*partition, held.epoch)).collect()
    }

    /// Returns the partitions whose sessions were last told so; what was told to stop is as good as gone.
    fn ordered(&self, order: Order) -> Vec<Partition> {
        self.held.iter().filter(|(_, held)| held.order() == order).map(|(partition, _)| *partition).collect()
    }

    fn begin(&mut self, tenure: Tenure) {
        let Tenure { partition, epoch, is_after_crash, .. } = tenure;
        tracing::info!(%partition, %epoch, is_after_crash, "partition acquired");
        let how = if is_after_crash { "takeover" } else { "handover" };
        metrics::has_acquired(how);
        let (orders, told) = watch::channel(Order::Go);
        let (board, has_begun) = (Board::default(), Arc::default());
        let shared = Shared {
            clock: self.clock.clone(),
            suspects: self.suspects.clone(),
            has_begun: Arc::clone(&has_begun),
            board: board.clone(),
        };
        let (replica, (end, ended)) = (self.replica.clone(), oneshot::channel());
        self.threads.run(partition, move |place| async move {
            let _ = end.send(session::run(replica, place, tenure, shared, told).await);
        });
        let after = look_after(self.replica.clone(), tenure, board, orders.subscribe(), ended);
        let running = self.sessions.spawn(after);
        self.held.insert(partition, Held { epoch, orders, session: running.id(), has_begun });
    }

    async fn has_ended(&mut self, ended: Result<(task::Id, End), task::JoinError>) {
        let (id, end) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), End::Failed(error.into())),
        };
        let Some(partition) = self.held.iter().find(|(_, held)| held.session == id).map(|(partition, _)| *partition)
        else {
            return;
        };
        let Some(Held { epoch, .. }) = self.held.remove(&partition) else { return };
        metrics::has_ended(end.word());
        match &end {
            End::Drained => tracing::info!(%partition, "partition drained"),
            End::Stopped => return tracing::info!(%partition, "partition given up"),
            End::Hung(identity) => {
                let (instance, orchestrator) = (identity.instance.clone(), identity.name.clone());
                let seconds = self.replica.turn_limit.as_secs();
                // Others on its thread can't even end.
                self.threads.beside(partition, self.held.keys()).for_each(|other| self.order(other, Order::Stop));
                self.hung = Some(Hung { instance, orchestrator, seconds });
            }
            // The lease stays as it is, so that whoever takes it knows.
            End::Panicked => {
                return tracing::error!(%partition, "owner has panicked, which is a bug: please report it");
            }
            End::Failed(error) => {
                if matches!(error.downcast_ref(), Some(Error::Used { .. })) {
                    self.misled.insert(partition, Instant::now());
                }
                tracing::warn!(%partition, error = format!("{error:#}"), "partition is interrupted, another session follows")
            }
        }
        let release = self.replica.store.release(partition, epoch);
        let patience = self.patience().max(Instant::now() + self.replica.lease / RENEWALS);
        match timeout_at(patience.into(), release).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%partition, %error, "lease could not be released, it will lapse"),
            Err(_) => tracing::info!(%partition, "store gives no answer, the lease will lapse"),
        }
    }

    fn order(&self, partition: Partition, order: Order) {
        if let Some(held) = self.held.get(&partition) {
            held.orders.send_replace(order);
        }
    }

    fn stop_all(&self) {
        for held in self.held.values() {
            held.orders.send_replace(Order::Stop);
        }
    }

    fn report_broker(&mut self) {
        match self.replica.broker.health() {
            Health::Up => {
                self.alone = None;
                self.replica.health.pass("broker");
            }
            Health::Blocked(why) => self.replica.health.fail("broker", format!("takes no messages: {why}")),
            Health::Refusing(why) => {
                self.alone = None;
                self.replica.health.fail("broker", why);
            }
            Health::Down(why) => {
                self.alone.get_or_insert_with(Instant::now);
                self.replica.health.fail("broker", why);
            }
        }
    }

    /// Stands for no partition any more, finishes what has arrived and gives the leases back; renews meanwhile.
    pub(super) async fn drain(mut self) {
        tracing::info!(partitions = self.held.len(), "draining");
        for held in self.held.values() {
            // What was told to stop has nothing to finish.
            if held.order() == Order::Go {
                held.orders.send_replace(Order::Drain);
            }
        }
        self.renew_while_draining().await;
        let mut ticks = interval(self.replica.lease / RENEWALS);
        while !self.sessions.is_empty() {
            tokio::select! {
                Some(ended) = self.sessions.join_next_with_id() => self.has_ended(ended).await,
                _ = ticks.tick() => self.renew_while_draining().await,
            }
        }
        if let Ok(Err(error)) = timeout(self.replica.lease / RENEWALS, self.release_rest()).await {
            tracing::info!(%error, "leases could not be looked at once more, they will lapse");
        }
    }

    /// Gives back what was acquired without this replica's learning of it.
    async fn release_rest(&self) -> Result<(), Error> {
        let survey = self.replica.store.survey().await?;
        for lease in survey.leases.iter().filter(|lease| lease.owner.as_ref() == Some(&self.replica.name)) {
            self.replica.store.release(lease.partition, lease.epoch).await?;
        }
        Ok(())
    }

    /// If it fails, or takes too long: commits are fenced, and a drain has its own limit.
    async fn renew_while_draining(&mut self) {
        match timeout(self.replica.lease / RENEWALS, self.renew(false)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "leases can't be renewed"),
            Err(_) => tracing::warn!("leases can't be renewed, the store gives no answer"),
        }
    }
}

#[cfg(test)]
#[path = "tenancy_test.rs"]
mod test;
