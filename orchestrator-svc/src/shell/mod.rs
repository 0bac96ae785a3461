//! The thin shell around the owners: leases, sessions, the ingress. It moves bytes and decides nothing of the engine's.

mod clock;
mod ingress;
mod leases;
mod session;
mod thread;
mod watchdog;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    task::{self, JoinSet},
};
use warren::Registry;
use warren_broker::{Broker, Codec, Health};
use warren_model::{Partition, Timestamp};
use warren_service::health::Health as Report;
use warren_store::{Epoch, Store};

use self::{
    clock::Clock,
    leases::Watch,
    session::{End, Order},
};
use crate::owner::Settings;

/// What one process of orchestrator-svc needs.
pub struct Replica<S, B> {
    /// Where instances rest.
    pub store: S,
    /// How others are reached.
    pub broker: B,
    /// Reads and writes the hub's messages.
    pub codec: Codec,
    /// The orchestrators that this process knows.
    pub registry: Registry,
    /// Bounds of each owner.
    pub owner: Settings,
    /// Most deliveries that a partition holds unacknowledged.
    pub prefetch: u16,
    /// Names the process in leases and logs.
    pub name: String,
    /// After how long without a sign of life a partition is taken over.
    pub lease: Duration,
    /// After how long a turn that still runs is reported.
    pub turn_warn: Duration,
    /// Told how the broker and the store are.
    pub health: Report,
}

/// A partition that this process owns.
struct Held {
    epoch: Epoch,
    orders: watch::Sender<Order>,
    session: task::Id,
}

/// Renewals per lease time.
const RENEWALS: u32 = 4;

impl<S: Store, B: Broker> Replica<S, B> {
    /// Owns partitions and forwards the ingress until `shutdown`; then drains and gives everything back.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let replica = Arc::new(self);
        let clock = Clock::new(Timestamp::UNIX_EPOCH); // set before the first session begins
        let mut work = Work {
            replica: replica.clone(),
            clock,
            held: BTreeMap::new(),
            sessions: JoinSet::new(),
            renewed: Instant::now(),
        };
        let own = work.own();
        tokio::select! {
            () = own => {}
            () = ingress::run(&replica) => {}
            () = shutdown => {}
        }
        work.drain().await;
    }
}

struct Work<S, B> {
    replica: Arc<Replica<S, B>>,
    clock: Clock,
    held: BTreeMap<Partition, Held>,
    sessions: JoinSet<End>,
    /// From before the last renewal was sent: another replica can't have counted from earlier.
    renewed: Instant,
}

impl<S: Store, B: Broker> Work<S, B> {
    /// Renews what is held and takes what is free, for ever.
    async fn own(&mut self) {
        let mut leases = Watch::new(self.replica.lease);
        let mut ticks = tokio::time::interval(self.replica.lease / RENEWALS);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let lapse = self.lapse();
            tokio::select! {
                biased; // what has lapsed is given up before anything else is waited for
                () = tokio::time::sleep_until(lapse.into()), if self.is_owning() => self.stop_all(),
                Some(ended) = self.sessions.join_next_with_id() => self.has_ended(ended).await,
                _ = ticks.tick() => {
                    self.tick(&mut leases).await;
                    self.report_broker();
                }
            }
        }
    }

    /// Returns until when what is held may be used without another renewal.
    fn lapse(&self) -> Instant {
        self.renewed + self.replica.lease * 3 / 4
    }

    /// Returns whether a session has not been told to stop.
    fn is_owning(&self) -> bool {
        self.held.values().any(|held| *held.orders.borrow() != Order::Stop)
    }

    /// Returns until when an answer of the store may be waited for.
    fn patience(&self) -> Instant {
        if self.is_owning() { self.lapse() } else { Instant::now() + self.replica.lease }
    }

    /// A store that does not answer in time is as good as one that fails.
    async fn tick(&mut self, leases: &mut Watch) {
        let renewal = tokio::time::timeout_at(self.patience().into(), self.renew(leases)).await;
        let renewal = renewal.unwrap_or_else(|_| Err(warren_store::Error::Unavailable("it gives no answer".into())));
        match renewal {
            Ok(()) => self.replica.health.pass("store"),
            Err(error) => {
                tracing::warn!(%error, "leases can't be renewed or taken");
                self.replica.health.fail("store", error.to_string());
            }
        }
    }

    async fn renew(&mut self, leases: &mut Watch) -> Result<(), warren_store::Error> {
        let replica = self.replica.clone();
        let before = Instant::now();
        let held = self.held();
        if !held.is_empty() {
            let renewal = replica.store.renew(&held).await?;
            self.renewed = before;
            self.clock.set(renewal.now);
            for partition in renewal.lost {
                tracing::warn!(%partition, "partition was taken over by another replica");
                self.order(partition, Order::Stop);
            }
        }
        let (all, now) = replica.store.leases().await?;
        self.clock.set(now);
        for lease in leases.free(all, Instant::now()) {
            if self.held.contains_key(&lease.partition) {
                continue;
            }
            if let Some(epoch) = replica.store.acquire(&lease, &replica.name).await? {
                if self.held.is_empty() {
                    self.renewed = before;
                }
                self.begin(lease.partition, epoch);
            }
        }
        Ok(())
    }

    fn held(&self) -> Vec<(Partition, Epoch)> {
        self.held.iter().map(|(partition, held)| (*partition, held.epoch)).collect()
    }

    fn begin(&mut self, partition: Partition, epoch: Epoch) {
        tracing::info!(%partition, %epoch, "partition acquired");
        let (orders, told) = watch::channel(Order::Go);
        let (replica, clock) = (self.replica.clone(), self.clock.clone());
        let running = self.sessions.spawn(async move { session::run(&replica, clock, partition, epoch, told).await });
        self.held.insert(partition, Held { epoch, orders, session: running.id() });
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
        match &end {
            End::Drained => tracing::info!(%partition, "partition drained"),
            End::Stopped => return tracing::info!(%partition, "partition given up"),
            End::Failed(error) => {
                tracing::warn!(%partition, error = format!("{error:#}"), "partition is interrupted, another session follows")
            }
        }
        let release = self.replica.store.release(partition, epoch);
        let patience = self.patience().max(Instant::now() + self.replica.lease / RENEWALS);
        match tokio::time::timeout_at(patience.into(), release).await {
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

    fn report_broker(&self) {
        match self.replica.broker.health() {
            Health::Up => self.replica.health.pass("broker"),
            Health::Blocked(why) | Health::Down(why) => self.replica.health.fail("broker", why),
        }
    }

    /// Finishes what has arrived and gives the leases back; renews meanwhile.
    async fn drain(mut self) {
        tracing::info!(partitions = self.held.len(), "draining");
        for held in self.held.values() {
            held.orders.send_replace(Order::Drain);
        }
        let mut ticks = tokio::time::interval(self.replica.lease / RENEWALS);
        while !self.sessions.is_empty() {
            tokio::select! {
                Some(ended) = self.sessions.join_next_with_id() => self.has_ended(ended).await,
                _ = ticks.tick() => {
                    // If it fails, or takes too long: commits are fenced, and a drain has its own limit.
                    let (before, held) = (Instant::now(), self.held());
                    let renewal = self.replica.store.renew(&held);
                    match tokio::time::timeout(self.replica.lease / RENEWALS, renewal).await {
                        Ok(Ok(_)) => self.renewed = before,
                        Ok(Err(error)) => tracing::warn!(%error, "leases can't be renewed"),
                        Err(_) => tracing::warn!("leases can't be renewed, the store gives no answer"),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod test;
