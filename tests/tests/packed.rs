//! Work items in packs through a whole fleet, and a worker that dies within them.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use end_to_end::{Amqp, Database, Inside, eventually};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Semaphore;
use warren::{Activity, ActivityContext, Context, Failure, Orchestrator, Registry};

const TASKS: u32 = 32;
/// So many of a pack while nothing is known of its tasks.
const PACK: u32 = 8;
const STEP: Activity<u32, u32> = Activity::new("step");

async fn fan(ctx: Context, count: u32) -> Result<u32, Failure> {
    let all = join_all((0..count).map(|number| ctx.call(STEP, number))).await;
    all.into_iter().sum()
}

/// What the activity has done: how often each number was begun and ended.
#[derive(Clone)]
struct Steps {
    open: Arc<Semaphore>,
    seen: Arc<Mutex<BTreeMap<u32, (u32, u32)>>>,
}

impl Steps {
    fn registry(&self) -> Registry {
        let steps = self.clone();
        let step = move |_: ActivityContext, number| steps.clone().step(number);
        Registry::new().orchestrator(Orchestrator::new("fan"), fan).activity(STEP, step)
    }

    async fn step(self, number: u32) -> Result<u32, Failure> {
        self.seen.lock().unwrap().entry(number).or_default().0 += 1;
        if is_slow(number) {
            self.open.acquire().await?.forget();
        }
        self.seen.lock().unwrap().entry(number).or_default().1 += 1;
        Ok(1)
    }

    fn count(&self, which: impl Fn(u32, (u32, u32)) -> bool) -> usize {
        self.seen.lock().unwrap().iter().filter(|(number, times)| which(**number, **times)).count()
    }
}

/// The last of each pack.
fn is_slow(number: u32) -> bool {
    number % PACK == PACK - 1
}

/// H1, H8, H18: its packs come again as a whole, and what is answered is dropped, as its owner says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h8_what_a_killed_worker_had_answered_of_its_packs_does_not_run_again() {
    let steps = Steps { open: Arc::new(Semaphore::new(0)), seen: Arc::default() };
    let mut inside = Inside::new(Database::Sqlite, steps.registry());
    inside.settings.orchestrator.packed_queues = vec!["*".into()];
    inside.settings.worker.concurrency = 8;
    inside.orchestrator().await;
    inside.api().await;
    let started = inside.http().post("/orchestrators/fan/one", &[], TASKS.to_string().into()).await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text());
    let (amqp, queue) = (Amqp::connect().await, format!("{}.work.step", inside.settings.hub.name));
    eventually("all are in four messages", || async { amqp.count(&queue).await == TASKS / PACK }).await;

    inside.worker();
    let slow = usize::try_from(TASKS / PACK).unwrap();
    eventually("only slow ones run", || async {
        steps.count(|_, (begun, ended)| begun == 1 && ended == 1) == TASKS as usize - slow
            && steps.count(|number, (begun, _)| is_slow(number) && begun == 1) == slow
    })
    .await;
    eventually("the others are in the history", || async {
        let history: Value = inside.http().get("/instances/one?showHistory=true").await.unwrap().json().unwrap();
        history.to_string().matches("TaskCompleted").count() == TASKS as usize - slow
    })
    .await;
    inside.kill("worker").await;
    eventually("its packs are back", || async { amqp.count(&queue).await == TASKS / PACK }).await;

    steps.open.add_permits(slow);
    inside.worker();
    let ended = inside.http().get("/instances/one/wait?timeout=60").await.unwrap();
    let status: Value = ended.json().unwrap();
    assert_eq!((&status["runtimeStatus"], &status["output"]), (&"Completed".into(), &TASKS.into()), "{status}");
    let times = steps.seen.lock().unwrap().clone();
    for (number, times) in times {
        assert_eq!(times, if is_slow(number) { (2, 1) } else { (1, 1) }, "task {number}");
    }
    eventually("nothing is left", || async { amqp.count(&queue).await == 0 }).await;
    inside.stop("worker").await;
    assert_eq!(amqp.count(&queue).await, 0, "neither ready nor held");
}
