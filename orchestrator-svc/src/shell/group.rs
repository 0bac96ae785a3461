//! What the sessions of a thread ask of the store, they ask together: one commit at a time, and one read of what begins.
//!
//! So a lone commit is written at once, and under load one transaction, with one flush to disk, carries a batch of every
//! partition.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::timeout,
};
use warren_model::Partition;
use warren_store::{Commit, Epoch, Error, Load, Loaded, Result, Store};

use super::metrics;

/// Most that is looked at at a time: more than a hub has partitions.
const JOBS_MAX: usize = 128;
/// How often the thread's other tasks may run first: what several sessions are about to ask is then asked together. A
/// message goes from its session through two tasks.
const OTHERS_FIRST: usize = 4;
/// Whoever reads a large history takes longer than this.
const LONG: Duration = Duration::from_millis(10);

/// What is asked, and who wants to know.
type Job<Q, A> = (Q, oneshot::Sender<Result<A>>);

/// Takes what is asked. Cheap to clone.
pub(super) struct Asker<Q, A>(mpsc::UnboundedSender<Job<Q, A>>);

/// Writes commits, as [`Store::commit`] does. A partition's next one is asked for only once the one before has ended.
pub(super) type Writer = Asker<Commit, ()>;
/// Reads what batches need, as [`Store::load`] does.
pub(super) type Reader = Asker<(Partition, Epoch, Load), Loaded>;

impl<Q, A> Clone for Asker<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> Asker<Q, A> {
    pub(super) async fn ask(&self, question: Q) -> Result<A> {
        let (reply, answer) = oneshot::channel();
        let unknown = || Err(Error::Unknown("what asks the store for this thread has ended".into()));
        if self.0.send((question, reply)).is_err() {
            return unknown();
        }
        answer.await.unwrap_or_else(|_| unknown())
    }
}

impl Writer {
    /// Starts on the present runtime; ends with its last clone.
    pub(super) fn start<S: Store>(store: S) -> Self {
        let (jobs, wanted) = mpsc::unbounded_channel();
        tokio::spawn(write(store, wanted));
        Self(jobs)
    }
}

impl Reader {
    /// Starts on the present runtime; ends with its last clone.
    pub(super) fn start<S: Store>(store: S) -> Self {
        let (jobs, wanted) = mpsc::unbounded_channel();
        tokio::spawn(read(store, wanted));
        Self(jobs)
    }
}

async fn write<S: Store>(store: S, mut wanted: mpsc::UnboundedReceiver<Job<Commit, ()>>) {
    let (mut waiting, transactions) = (Vec::new(), metrics::transactions());
    while gather(&mut wanted, &mut waiting).await {
        let (commits, replies): (Vec<_>, Vec<_>) = next_of_each(&mut waiting).into_iter().unzip();
        let begun = Instant::now();
        let results = store.commit_together(commits).await;
        transactions.record(begun.elapsed());
        answer(replies, results);
    }
}

/// One read at a time, as the next may be for all who ask meanwhile; but one that takes long keeps nobody waiting.
async fn read<S: Store>(store: S, mut wanted: mpsc::UnboundedReceiver<Job<(Partition, Epoch, Load), Loaded>>) {
    let mut waiting = Vec::new();
    while gather(&mut wanted, &mut waiting).await {
        waiting.retain(|(_, reply)| !reply.is_closed());
        let (loads, replies): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let store = store.clone();
        unless_long(async move { answer(replies, store.load_together(loads).await) }).await;
    }
}

/// Waits for the end of some work, but not for long; then it goes on by itself.
async fn unless_long(work: impl Future<Output = ()> + Send + 'static) {
    let _ = timeout(LONG, tokio::spawn(work)).await;
}

/// Waits until something waits, and adds what else is about to be asked; returns whether there is anything.
async fn gather<T>(wanted: &mut mpsc::UnboundedReceiver<T>, waiting: &mut Vec<T>) -> bool {
    if waiting.is_empty() && wanted.recv_many(waiting, JOBS_MAX).await == 0 {
        return false;
    }
    for _ in 0..OTHERS_FIRST {
        yield_now().await;
    }
    waiting.extend(std::iter::from_fn(|| wanted.try_recv().ok()).take(JOBS_MAX));
    true
}

/// Takes the next commit of each partition; what a session that has ended has left is not written any more.
fn next_of_each(waiting: &mut Vec<Job<Commit, ()>>) -> Vec<Job<Commit, ()>> {
    waiting.retain(|(_, reply)| !reply.is_closed());
    let mut partitions = BTreeSet::new();
    waiting.extract_if(.., |(commit, _)| partitions.insert(commit.partition)).collect()
}

fn answer<A>(replies: Vec<oneshot::Sender<Result<A>>>, results: Vec<Result<A>>) {
    for (reply, result) in replies.into_iter().zip(results) {
        // A session that has ended does not want to know.
        let _ = reply.send(result);
    }
}

#[cfg(test)]
#[path = "group_test.rs"]
mod test;
