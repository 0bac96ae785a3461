//! One commit at a time for the sessions of a thread: what has gathered meanwhile is written together.
//!
//! So a lone commit is written at once, and under load one transaction, with one flush to disk, carries a batch of every
//! partition.

use std::{collections::BTreeSet, time::Instant};

use tokio::sync::{mpsc, oneshot};
use warren_store::{Commit, Error, Result, Store};

use super::metrics;

/// Most commits that are looked at at a time: more than a hub has partitions.
const JOBS_MAX: usize = 128;

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
    let (mut waiting, transactions) = (Vec::new(), metrics::transactions());
    while !waiting.is_empty() || wanted.recv_many(&mut waiting, JOBS_MAX).await > 0 {
        let (commits, replies): (Vec<_>, Vec<_>) = next_of_each(&mut waiting).into_iter().unzip();
        let begun = Instant::now();
        let results = store.commit_together(commits).await;
        transactions.record(begun.elapsed());
        for (reply, result) in replies.into_iter().zip(results) {
            // A session that has ended does not want to know.
            let _ = reply.send(result);
        }
    }
}

/// Takes the next commit of each partition; what a session that has ended has left is not written any more.
fn next_of_each(waiting: &mut Vec<Job>) -> Vec<Job> {
    waiting.retain(|(_, reply)| !reply.is_closed());
    let mut partitions = BTreeSet::new();
    waiting.extract_if(.., |(commit, _)| partitions.insert(commit.partition)).collect()
}

#[cfg(test)]
#[path = "group_test.rs"]
mod test;
