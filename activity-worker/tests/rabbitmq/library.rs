//! A worker of a user's own, linked from the library.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Instant,
};

use serde_json::json;
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use warren::{Activity, ActivityContext, Failure, Registry};

use crate::hub::{DEADLINE, Hub};

const GATE: Activity<u32, u32> = Activity::new("gate");

/// An activity that ends only when the test lets it.
#[derive(Clone)]
struct Gate {
    open: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Gate {
    fn closed() -> Self {
        Self { open: Arc::new(Semaphore::new(0)), begun: Arc::default() }
    }

    fn registry(&self) -> Registry {
        let gate = self.clone();
        Registry::new().activity(GATE, move |_: ActivityContext, number| gate.clone().pass(number))
    }

    async fn pass(self, number: u32) -> Result<u32, Failure> {
        self.begun.fetch_add(1, SeqCst);
        self.open.acquire().await?.forget();
        Ok(number * 2)
    }

    async fn begun(&self, count: usize) {
        let deadline = Instant::now() + DEADLINE;
        while self.begun.load(SeqCst) < count {
            assert!(Instant::now() < deadline, "{count} activities begin");
            tokio::task::yield_now().await;
        }
    }
}

/// Starts a worker with two slots.
fn start(hub: &Hub, gate: &Gate) -> (CancellationToken, JoinHandle<activity_worker::Result<()>>) {
    let stop = CancellationToken::new();
    let mut settings = hub.settings();
    settings.worker.concurrency = 2;
    let (registry, asked_to_stop) = (gate.registry(), stop.clone().cancelled_owned());
    let served = tokio::spawn(async move { activity_worker::run(&settings, registry, asked_to_stop).await });
    (stop, served)
}

/// H5, H21: what runs is finished and answered, the rest stays for the next worker, and nothing is lost or left over.
#[tokio::test]
async fn a_worker_stops_gracefully_and_another_takes_over() {
    let mut hub = Hub::open().await;
    let tokens = hub.schedule("gate", (1..=6).map(|number| json!(number))).await;
    let gate = Gate::closed();
    let (stop, served) = start(&hub, &gate);
    gate.begun(2).await;
    stop.cancel();
    gate.open.add_permits(2);
    served.await.unwrap().unwrap();
    let first = hub.replies(2).await;
    let answered: Vec<_> = first.iter().map(|reply| reply.correlation_id.clone().unwrap()).collect();
    assert_eq!(answered, tokens[..2]);
    assert_eq!((&*first[0].body, &*first[1].body), (&b"2"[..], &b"4"[..]));
    hub.left("gate", 4).await;

    let (stop, served) = start(&hub, &gate);
    gate.open.add_permits(4);
    let rest = hub.replies(4).await;
    let answered: Vec<_> = rest.iter().map(|reply| reply.correlation_id.clone().unwrap()).collect();
    assert_eq!(answered, tokens[2..]);
    stop.cancel();
    served.await.unwrap().unwrap();
    hub.left("gate", 0).await;
    assert_eq!(gate.begun.load(SeqCst), 6, "each ran once");
    hub.close(&["gate"]).await;
}
