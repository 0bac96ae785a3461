//! The thin shell around the owners: leases, sessions, the ingress. It moves bytes and decides nothing of the engine's.

mod clock;
mod group;
mod ingress;
pub(crate) mod metrics;
mod publish;
mod session;
mod tenancy;
mod thread;
mod watchdog;
mod writes;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use warren::Registry;
use warren_broker::{Broker, Codec};
use warren_model::{InstanceId, Partition};
use warren_service::{health::Health as Report, traces::Tracer};
use warren_store::Store;

pub(crate) use self::ingress::CHECK as INGRESS;
use self::tenancy::Tenancy;
use crate::owner::Settings;

/// A turn that does not return.
#[derive(Debug, thiserror::Error)]
#[error(
    "a turn of instance {instance} (orchestrator {orchestrator}) did not return within {seconds} s (turn_limit_seconds): orchestrators must not block"
)]
pub struct Hung {
    instance: InstanceId,
    orchestrator: String,
    seconds: u64,
}

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
    /// How many threads run turns, each those of its share of the partitions.
    pub threads: usize,
    /// Names the process in leases and logs.
    pub name: String,
    /// After how long without a sign of life a partition is taken over.
    pub lease: Duration,
    /// After how long a turn that still runs is reported.
    pub turn_warn: Duration,
    /// After how long a turn that still runs is given up, and the process with it.
    pub turn_limit: Duration,
    /// Partitions whose owner is known to have ended without a word.
    pub orphaned: BTreeSet<Partition>,
    /// Told how the broker and the store are.
    pub health: Report,
    /// Takes the spans of traced instances, if [`Settings::traces`] asks for any.
    pub tracer: Tracer,
}

impl<S: Store, B: Broker> Replica<S, B> {
    /// Owns a share of the partitions and forwards the ingress until `shutdown`; then drains and gives everything back.
    ///
    /// Fails, after giving everything back, if a turn does not return: the process should end, for nothing else ends the
    /// turn's thread.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Hung> {
        let replica = Arc::new(self);
        let mut tenancy = Tenancy::new(replica.clone());
        let ended = tokio::select! {
            hung = tenancy.own() => Err(hung),
            () = ingress::run(&replica) => Ok(()),
            () = shutdown => Ok(()),
        };
        tenancy.drain().await;
        ended
    }
}
