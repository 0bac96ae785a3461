//! The commits of a thread's sessions: what has gathered while one transaction is written goes into the next.
//!
//! So a lone commit is written at once, and under load one transaction, with one flush to disk, carries a batch of every
//! partition. Much that waits does not wait for the transaction before it: while the one takes the database's time, the
//! other is read by it, or flushed to its disk.

use std::{collections::BTreeSet, time::Instant};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::{mpsc, oneshot};
use warren_model::Partition;
use warren_store::{Commit, Error, Result, Store};

use super::metrics;

/// Most commits that are looked at at a time: more than a hub has partitions.
const JOBS_MAX: usize = 128;

/// Most transactions at a time, of different partitions.
const TRANSACTIONS_MAX: usize = 2;
/// How many turns must wait for a transaction to begin beside another: a smaller one is cheaper as a part of the next.
const BESIDE_MIN: usize = 200;

/// A commit, and who wants to know.
type Job = (Commit, oneshot::Sender<Result<()>>);

/// Writes commits. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Job>);

impl Writer {
    /// Starts on the present runtime; ends with its last clone.
    pub(super) fn start<S: Store>(store: S) -> Self {
        let (jobs, wanted) = mpsc::unbounded_channel();
        tokio::spawn(write(store, wanted));
        Self(jobs)
    }

    /// Writes a commit, as [`Store::commit`] does. A partition's next one is asked for only once this has ended.
    pub(super) async fn commit(&self, commit: Commit) -> Result<()> {
        let (reply, written) = oneshot::channel();
        let unknown = || Err(Error::Unknown("the writer of commits has ended".into()));
        if self.0.send((commit, reply)).is_err() {
            return unknown();
        }
        written.await.unwrap_or_else(|_| unknown())
    }
}

async fn write<S: Store>(store: S, mut wanted: mpsc::UnboundedReceiver<Job>) {
    let (mut waiting, seconds) = (Waiting::default(), metrics::transactions());
    let mut transactions = FuturesUnordered::new();
    let mut is_open = true;
    loop {
        if let Some(jobs) = waiting.next() {
            let (commits, replies): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
            let partitions: Vec<_> = commits.iter().map(|commit| commit.partition).collect();
            let (store, begun) = (&store, Instant::now());
            transactions.push(async move { (begun, partitions, replies, store.commit_together(commits).await) });
        }
        tokio::select! {
            biased;
            Some((begun, partitions, replies, results)) = transactions.next() => {
                seconds.record(begun.elapsed());
                waiting.ended(&partitions);
                for (reply, result) in replies.into_iter().zip(results) {
                    // A session that has ended does not want to know.
                    let _ = reply.send(result);
                }
            }
            count = wanted.recv_many(&mut waiting.jobs, JOBS_MAX), if is_open => is_open = count > 0,
            else => break,
        }
    }
}

/// What is to be written, and what is being written.
#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// The partitions of the transactions that are under way.
    busy: BTreeSet<Partition>,
    transactions: usize,
}

impl Waiting {
    /// Returns what the next transaction writes, if one is to begin now: the next commit of each partition that none is
    /// being written of. What a session that has ended has left is not written any more.
    fn next(&mut self) -> Option<Vec<Job>> {
        self.jobs.retain(|(_, reply)| !reply.is_closed());
        let mut partitions = self.busy.clone();
        let is_next: Vec<bool> = self.jobs.iter().map(|(commit, _)| partitions.insert(commit.partition)).collect();
        let ready = self.jobs.iter().zip(&is_next).filter(|(_, is_next)| **is_next);
        let turns: usize = ready.map(|((commit, _), _)| commit.turns.len()).sum();
        let begins = match self.transactions {
            0 => !self.jobs.is_empty(),
            TRANSACTIONS_MAX.. => false,
            _ => turns >= BESIDE_MIN,
        };
        if !begins {
            return None;
        }
        self.busy = partitions;
        self.transactions += 1;
        let mut is_next = is_next.into_iter();
        Some(self.jobs.extract_if(.., |_| is_next.next().unwrap_or_default()).collect())
    }

    /// Notes that the transaction of these partitions has ended.
    fn ended(&mut self, partitions: &[Partition]) {
        self.transactions -= 1;
        self.busy.retain(|partition| !partitions.contains(partition));
    }
}

#[cfg(test)]
#[path = "group_test.rs"]
mod test;
