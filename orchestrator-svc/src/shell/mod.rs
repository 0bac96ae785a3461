//! The thin shell around the owners: leases, sessions, the ingress. It moves bytes and decides nothing of the engine's.

mod clock;
mod ingress;
mod session;
mod tenancy;
mod thread;
mod watchdog;

use std::{sync::Arc, time::Duration};

use warren::Registry;
use warren_broker::{Broker, Codec};
use warren_service::health::Health as Report;
use warren_store::Store;

use self::tenancy::Tenancy;
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

impl<S: Store, B: Broker> Replica<S, B> {
    /// Owns a share of the partitions and forwards the ingress until `shutdown`; then drains and gives everything back.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let replica = Arc::new(self);
        let mut tenancy = Tenancy::new(replica.clone());
        tokio::select! {
            () = tenancy.own() => {}
            () = ingress::run(&replica) => {}
            () = shutdown => {}
        }
        tenancy.drain().await;
    }
}
