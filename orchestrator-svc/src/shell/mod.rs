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

use tokio::{sync::watch, task::JoinSet};
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
}

/// Renewals per lease time.
const RENEWALS: u32 = 4;

impl<S: Store, B: Broker> Replica<S, B> {
    /// Owns partitions and forwards the ingress until `shutdown`; then drains and gives everything back.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let replica = Arc::new(self);
        let clock = Clock::new(Timestamp::UNIX_EPOCH); // set before the first session begins
        let mut work = Work { replica: replica.clone(), clock, held: BTreeMap::new(), sessions: JoinSet::new() };
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
    sessions: JoinSet<(Partition, Epoch, End)>,
}

impl<S: Store, B: Broker> Work<S, B> {
    /// Renews what is held and takes what is free, for ever.
    async fn own(&mut self) {
        let mut leases = Watch::new(self.replica.lease);
        let mut ticks = tokio::time::interval(self.replica.lease / RENEWALS);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let before = Instant::now();
                    match self.renew(&mut leases).await {
                        Ok(()) => {
                            renewed = before;
                            self.replica.health.pass("store");
                        }
                        Err(error) => {
                            tracing::warn!(%error, "leases can't be renewed");
                            self.replica.health.fail("store", error.to_string());
                        }
                    }
                    // Judged from before the last renewal was sent: another replica can't have counted from earlier.
                    if renewed.elapsed() > self.replica.lease * 3 / 4 {
                        self.stop_all();
                    }
                    self.report_broker();
                }
                Some(Ok((partition, epoch, end))) = self.sessions.join_next() => self.has_ended(partition, epoch, end).await,
            }
        }
    }

    async fn renew(&mut self, leases: &mut Watch) -> Result<(), warren_store::Error> {
        let replica = self.replica.clone();
        let held: Vec<(Partition, Epoch)> =
            self.held.iter().map(|(partition, held)| (*partition, held.epoch)).collect();
        if !held.is_empty() {
            let renewal = replica.store.renew(&held).await?;
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
                self.begin(lease.partition, epoch);
            }
        }
        Ok(())
    }

    fn begin(&mut self, partition: Partition, epoch: Epoch) {
        tracing::info!(%partition, %epoch, "partition acquired");
        let (orders, told) = watch::channel(Order::Go);
        self.held.insert(partition, Held { epoch, orders });
        let (replica, clock) = (self.replica.clone(), self.clock.clone());
        self.sessions.spawn(async move {
            let end = session::run(&replica, clock, partition, epoch, told).await;
            (partition, epoch, end)
        });
    }

    async fn has_ended(&mut self, partition: Partition, epoch: Epoch, end: End) {
        self.held.remove(&partition);
        match &end {
            End::Drained => tracing::info!(%partition, "partition drained"),
            End::Stopped => return tracing::info!(%partition, "partition given up"),
            End::Failed(error) => {
                tracing::warn!(%partition, error = format!("{error:#}"), "partition is interrupted, another session follows")
            }
        }
        if let Err(error) = self.replica.store.release(partition, epoch).await {
            tracing::info!(%partition, %error, "lease could not be released, it will lapse");
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
                ended = self.sessions.join_next() => {
                    if let Some(Ok((partition, epoch, end))) = ended {
                        self.has_ended(partition, epoch, end).await;
                    }
                }
                _ = ticks.tick() => {
                    let held: Vec<_> = self.held.iter().map(|(partition, held)| (*partition, held.epoch)).collect();
                    if let Err(error) = self.replica.store.renew(&held).await {
                        tracing::warn!(%error, "leases can't be renewed");
                    }
                }
            }
        }
    }
}
