//! The plain threads on which sessions run, and their owners' turns.
//!
//! Each has a runtime of its own, for one thread: what a session is told, its turns, what it writes and what it publishes
//! follow each other there without a change of threads, which would take as long as the work itself. A live future never
//! leaves the thread that made it. Turns run outside of that runtime on purpose (see [`outside`]).

use std::{panic::AssertUnwindSafe, sync::LazyLock, thread};

use futures_util::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, ready},
    stream::FuturesUnordered,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::mpsc,
    task::{unconstrained, yield_now},
};
use warren_model::Partition;
use warren_store::Store;

use super::group::{Reader, Writer};

/// What the sessions of one thread share.
#[derive(Clone)]
pub(super) struct Place<S> {
    /// Its connections are the thread's own.
    pub(super) store: S,
    pub(super) writer: Writer,
    pub(super) reader: Reader,
}

/// Makes a session, on the thread where it stays.
type Job<S> = Box<dyn FnOnce(Place<S>) -> LocalBoxFuture<'static, ()> + Send>;

/// Threads with sessions. They end once this is dropped and their sessions have ended.
pub(super) struct Threads<S>(Vec<mpsc::UnboundedSender<Job<S>>>);

impl<S: Store> Threads<S> {
    /// Starts so many, at least one.
    pub(super) fn start(count: usize, store: &S) -> Self {
        let threads = (0..count.max(1)).map(|at| {
            let (jobs, wanted) = mpsc::unbounded_channel();
            let store = store.apart();
            let thread = thread::Builder::new().name(format!("turns-{at}"));
            thread.spawn(move || serve(store, wanted)).expect("a process may start threads");
            jobs
        });
        Self(threads.collect())
    }

    fn of(&self, partition: Partition) -> usize {
        usize::from(partition.0) % self.0.len()
    }

    /// Returns those partitions whose sessions are on the same thread.
    pub(super) fn beside<'p>(
        &self,
        partition: Partition,
        others: impl Iterator<Item = &'p Partition>,
    ) -> impl Iterator<Item = Partition> {
        others.copied().filter(move |other| self.of(*other) == self.of(partition))
    }

    /// Runs a session on the thread of its partition. One that panics takes no other with it.
    pub(super) fn run<F: Future<Output = ()> + 'static>(
        &self,
        partition: Partition,
        session: impl FnOnce(Place<S>) -> F + Send + 'static,
    ) {
        let thread = &self.0[self.of(partition)];
        let job: Job<S> = Box::new(|place| Box::pin(session(place)));
        // A thread that is gone has dropped what would tell of its session's end, which says so.
        let _ = thread.send(job);
    }
}

fn serve<S: Store>(store: S, mut jobs: mpsc::UnboundedReceiver<Job<S>>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a process may have another runtime");
    runtime.block_on(async {
        let place = Place { writer: Writer::start(store.clone()), reader: Reader::start(store.clone()), store };
        let mut sessions = FuturesUnordered::new();
        let mut is_wanted = true;
        while is_wanted || !sessions.is_empty() {
            tokio::select! {
                biased;
                Some(_) = sessions.next() => {}
                job = jobs.recv(), if is_wanted => match job {
                    Some(job) => sessions.push(AssertUnwindSafe(job(place.clone())).catch_unwind()),
                    None => is_wanted = false,
                }
            }
        }
    });
}

/// Lets the thread's other tasks run so many times: long enough for what one of them was just told to leave the process.
pub(super) async fn others_first(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// A runtime that has ended.
static ENDED: LazyLock<Handle> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().build().expect("a process may have another runtime");
    let handle = runtime.handle().clone();
    runtime.shutdown_background(); // it may be within another one, where a mere drop is not allowed
    handle
});

/// Does something as if on a thread without a runtime: there a stray `tokio::time::sleep` of an orchestrator fails at once
/// and is reported, and what it spawns never runs. Nor does tokio make it wait for its turn, which no replay would know of.
pub(super) fn outside<T>(act: impl FnOnce() -> T) -> T {
    let _ended = ENDED.enter();
    unconstrained(ready(()).map(|()| act())).now_or_never().expect("it waits for nothing")
}

#[cfg(test)]
#[path = "thread_test.rs"]
mod test;
