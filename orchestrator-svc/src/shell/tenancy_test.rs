//! A replica whose store or broker gives no answer.

use std::{
    num::NonZeroU16,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use std::time::Duration;

use tokio::sync::oneshot;
use warren::Registry;
use warren_broker::{Codec, Topology, memory::Memory};
use warren_model::PartitionCount;
use warren_service::{health::Health as Report, traces::Tracer};
use warren_store::{
    Commit, Expired, Hub, HubSpec, Lease, Load, Loaded, PartitionState, Renewal, Result, Survey, Sweep, Swept,
    TimerRow, TurnKey, TurnRow, sqlite::Sqlite,
};

use super::*;
use crate::owner::Settings;

const DEADLINE: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(1_600);

/// A store that may stop answering: about leases, or to sessions that begin.
#[derive(Clone)]
struct Deaf {
    store: Sqlite,
    to_leases: Arc<AtomicBool>,
    to_sessions: Arc<AtomicBool>,
}

async fn answer(is_deaf: &AtomicBool) {
    while is_deaf.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Store for Deaf {
    fn hub(&self) -> &Hub {
        Store::hub(&self.store)
    }

    async fn survey(&self) -> Result<Survey> {
        answer(&self.to_leases).await;
        Store::survey(&self.store).await
    }

    async fn acquire(&self, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
        self.store.acquire(seen, owner).await
    }

    async fn renew(&self, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Result<Renewal> {
        answer(&self.to_leases).await;
        self.store.renew(replica, stands, held).await
    }

    async fn release(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.store.release(partition, epoch).await
    }

    async fn supersede(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.store.supersede(partition, epoch).await
    }

    async fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
        answer(&self.to_sessions).await;
        self.store.partition(partition, epoch).await
    }

    async fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
        self.store.load(partition, epoch, load).await
    }

    async fn turns(&self, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
        self.store.turns(partition, epoch, keys).await
    }

    async fn timers(&self, p: Partition, epoch: Epoch, until: Timestamp, limit: usize) -> Result<Vec<TimerRow>> {
        self.store.timers(p, epoch, until, limit).await
    }

    async fn sweep(&self, partition: Partition, epoch: Epoch, sweep: Sweep) -> Result<Swept> {
        self.store.sweep(partition, epoch, sweep).await
    }

    async fn commit_together(&self, commits: Vec<Commit>) -> Vec<Result<()>> {
        self.store.commit_together(commits).await
    }

    async fn expire(&self, p: Partition, e: Epoch, before: Timestamp, now: Timestamp, n: usize) -> Result<Expired> {
        self.store.expire(p, e, before, now, n).await
    }
}

struct Running {
    store: Deaf,
    broker: Memory,
    stop: oneshot::Sender<()>,
    replica: tokio::task::JoinHandle<Result<(), Hung>>,
    _folder: tempfile::TempDir,
}

fn run(is_deaf_to_sessions: bool) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let spec = HubSpec { name: "t".into(), partitions: PartitionCount(NonZeroU16::MIN) };
    let store = Sqlite::open(&folder.path().join("t.db"), &spec).unwrap();
    let to_sessions = Arc::new(AtomicBool::new(is_deaf_to_sessions));
    let store = Deaf { store, to_leases: Arc::default(), to_sessions };
    let topology = Topology::new("t").unwrap();
    let broker = Memory::new(topology.clone());
    let hub = Store::hub(&store);
    let replica = Replica {
        codec: Codec::new(topology, hub.partitions, hub.secret),
        store: store.clone(),
        broker: broker.clone(),
        registry: Registry::new(),
        owner: Settings::default(),
        prefetch: 100,
        threads: 1,
        name: "a".into(),
        lease: LEASE,
        turn_warn: Duration::from_secs(1),
        turn_limit: Duration::from_secs(30),
        orphaned: BTreeSet::new(),
        tracer: Tracer::off(),
        health: Report::new(&["broker", "store"]),
    };
    let (stop, stopped) = oneshot::channel();
    let replica = tokio::spawn(replica.run(async move { drop(stopped.await) }));
    Running { store, broker, stop, replica, _folder: folder }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("{what} in time"));
}

impl Running {
    /// Waits until the partition's session takes what is published to it, or until it does not.
    async fn is_served(&self, is_served: bool) {
        until("the partition is served", async || (self.broker.consumers("t.control.00") == 1) == is_served).await;
    }

    async fn ends(self) -> Lease {
        drop(self.stop);
        tokio::time::timeout(DEADLINE, self.replica).await.expect("it ends in time").unwrap().unwrap();
        Store::survey(&self.store.store).await.unwrap().leases.remove(0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2_an_owner_whose_store_gives_no_answer_closes_its_channel_before_another_may_take_over() {
    let running = run(false);
    running.is_served(true).await;
    let since = Instant::now();
    running.store.to_leases.store(true, Ordering::Relaxed);
    running.is_served(false).await;
    assert!(since.elapsed() < LEASE, "after {:?}", since.elapsed());
    running.store.to_leases.store(false, Ordering::Relaxed);
    running.is_served(true).await;
    assert_eq!(running.ends().await.owner, None, "its lease is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_whose_store_gives_no_answer_ends_when_it_is_told_to() {
    let running = run(false);
    running.is_served(true).await;
    running.store.to_leases.store(true, Ordering::Relaxed);
    running.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_can_t_begin_yet_ends_when_it_is_told_to() {
    let running = run(true);
    let is_acquired = async || Store::survey(&running.store.store).await.unwrap().leases[0].owner.is_some();
    until("the partition is acquired", is_acquired).await;
    assert_eq!(running.ends().await.owner, None, "its lease is given back");
}
