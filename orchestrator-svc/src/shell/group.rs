//! What the sessions of a thread ask of the store, they ask together: in one transaction, and in one read of what begins.
//!
//! So a lone commit is written at once, and under load one transaction, with one flush to disk, carries a batch of every
//! partition. A large one does not wait for the one before: the store has it at hand when that ends, while this thread
//! computes the next.

use std::{
    collections::BTreeSet,
    mem::replace,
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, poll, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use warren_model::Partition;
use warren_store::{Commit, Epoch, Error, Load, Loaded, Result, Store};

use super::{metrics::transactions, thread::others_first};

/// Most that is looked at at a time: more than a hub has partitions.
const JOBS_MAX: usize = 128;
/// How often the thread's other tasks may run first: what several sessions are about to ask is then asked together. A
/// message goes from its session through two tasks.
const OTHERS_FIRST: usize = 4;
/// How many can ask where one session is alone on its thread: it, and the place from which sessions are given theirs.
const ALONE: usize = 2;
/// Most transactions that are on their way: one that the store writes, and one behind it.
const TRANSACTIONS_MAX: usize = 2;
/// How many turns a transaction must have to go behind another; fewer wait, and by then may be more.
const BEHIND_MIN: usize = 100;
/// Whoever reads a large history takes longer than this.
const LONG: Duration = Duration::from_millis(10);

/// What is asked, and who wants to know.
type Job<Q, A> = (Q, oneshot::Sender<Result<A>>);

/// Takes what is asked. Cheap to clone.
pub(super) struct Asker<Q, A>(mpsc::UnboundedSender<Job<Q, A>>);

/// Writes commits, as [`Store::commit`] does, those of a partition in the order in which they are asked for.
pub(super) type Writer = Asker<Commit, ()>;
/// Reads what batches need, as [`Store::load`] does.
pub(super) type Reader = Asker<(Partition, Epoch, Load), Loaded>;

impl<Q, A> Clone for Asker<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q, A> Asker<Q, A> {
    /// Asks at once; returns what waits for the answer, which is nobody who could ask.
    pub(super) fn ask(&self, question: Q) -> impl Future<Output = Result<A>> + use<Q, A> {
        let (reply, answer) = oneshot::channel();
        let _ = self.0.send((question, reply)); // if it can't be asked, the reply is dropped
        let unknown = || Err(Error::Unknown("what asks the store for this thread has ended".into()));
        async move { answer.await.unwrap_or_else(|_| unknown()) }
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
    let (mut waiting, mut flying) = (Vec::new(), FuturesUnordered::new());
    let (transactions, mut ended) = (transactions(), Instant::now());
    // The time that it waited behind another is not its own.
    let mut note = |sent: Instant| transactions.record(sent.max(replace(&mut ended, Instant::now())).elapsed());
    loop {
        while may_go(&waiting, flying.len()) {
            add_others(&mut wanted, &mut waiting).await;
            let (commits, replies): (Vec<_>, Vec<_>) = next_of_each(&mut waiting).into_iter().unzip();
            let mut flight = Box::pin(fly(&store, commits, replies));
            // Sent now: what comes later goes behind it.
            match poll!(&mut flight) {
                Poll::Ready(sent) => note(sent),
                Poll::Pending => flying.push(flight),
            }
        }
        tokio::select! {
            biased;
            Some(sent) = flying.next() => note(sent),
            count = wanted.recv_many(&mut waiting, JOBS_MAX) => if count == 0 { return },
        }
    }
}

/// Writes commits and answers; returns when they were sent.
async fn fly<S: Store>(store: &S, commits: Vec<Commit>, replies: Vec<oneshot::Sender<Result<()>>>) -> Instant {
    let sent = Instant::now();
    let results = store.commit_together(commits).await;
    answer(replies, results);
    sent
}

/// Returns whether what waits is to be written while so many transactions are on their way.
fn may_go(waiting: &[Job<Commit, ()>], flying: usize) -> bool {
    let turns = || {
        let mut is_next = is_next();
        waiting.iter().filter(|job| is_next(job)).map(|(commit, _)| commit.turns.len()).sum::<usize>()
    };
    match flying {
        0 => !waiting.is_empty(),
        TRANSACTIONS_MAX.. => false,
        _ => turns() >= BEHIND_MIN,
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
    add_others(wanted, waiting).await;
    true
}

/// Lets others, if there are any, come to what they are about to ask, and adds that.
async fn add_others<T>(wanted: &mut mpsc::UnboundedReceiver<T>, waiting: &mut Vec<T>) {
    if wanted.sender_strong_count() > ALONE {
        others_first(OTHERS_FIRST).await;
    }
    waiting.extend(std::iter::from_fn(|| wanted.try_recv().ok()).take(JOBS_MAX));
}

/// Takes the next commit of each partition; what a session that has ended has left is not written any more.
fn next_of_each(waiting: &mut Vec<Job<Commit, ()>>) -> Vec<Job<Commit, ()>> {
    waiting.retain(|(_, reply)| !reply.is_closed());
    let mut is_next = is_next();
    waiting.extract_if(.., |job| is_next(job)).collect()
}

/// Returns what tells of commits, one after the other, whether each is the first of its partition.
fn is_next() -> impl FnMut(&Job<Commit, ()>) -> bool {
    let mut partitions = BTreeSet::new();
    move |(commit, _)| partitions.insert(commit.partition)
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
