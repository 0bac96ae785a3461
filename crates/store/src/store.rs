//! The turn path.

use std::fmt;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use warren_model::{Partition, Timestamp};

use crate::{
    Commit, Expired, Hub, Lease, Load, Loaded, PartitionState, Renewal, Result, Survey, Sweep, Swept, TimerRow,
    TurnKey, TurnRow,
};

/// Counts the owners of a partition; each write names the one it was made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How far apart the numbers of a partition's sessions are: further than commits of one may be on their way.
pub(crate) const NUMBERS_APART: u32 = 1_000;

/// What owners need of a database. Cheap to clone.
///
/// Methods that take an epoch fail with [`Error::Fenced`](crate::Error::Fenced) once another owner has taken the
/// partition, and then have no effect.
pub trait Store: Clone + Send + Sync + 'static {
    /// Returns the hub that this store holds.
    fn hub(&self) -> &Hub;

    /// Returns a handle on the same hub for a runtime of its own: what an owner reads and writes does not leave it.
    #[must_use]
    fn apart(&self) -> Self {
        self.clone()
    }

    /// Returns every partition's lease, the replicas that stand for partitions, and the database's clock. A read.
    fn survey(&self) -> impl Future<Output = Result<Survey>> + Send;

    /// Takes the partition if its lease still has the epoch and counter of `seen`, or has no owner; raises the epoch.
    /// Returns the new epoch, or `None` if the lease has changed meanwhile or a commit under the old epoch is still open:
    /// look again.
    fn acquire(&self, seen: &Lease, owner: &str) -> impl Future<Output = Result<Option<Epoch>>> + Send;

    /// Raises the counters of leases that are still held under the given epochs; and that of `replica`, which stands for
    /// a share of the partitions from now on, or no longer.
    fn renew(
        &self,
        replica: &str,
        stands: bool,
        held: &[(Partition, Epoch)],
    ) -> impl Future<Output = Result<Renewal>> + Send;

    /// Gives a partition back, so that another owner may take it at once.
    fn release(&self, partition: Partition, epoch: Epoch) -> impl Future<Output = Result<()>> + Send;

    /// Reads what an owner needs before its first turn.
    fn partition(&self, partition: Partition, epoch: Epoch) -> impl Future<Output = Result<PartitionState>> + Send;

    /// Keeps commits of this epoch that are on their way from being written later: numbers begin anew, beyond theirs.
    ///
    /// For whoever writes in the place of a session: of two commits that it has left, the second could else follow what is
    /// written then.
    fn supersede(&self, partition: Partition, epoch: Epoch) -> impl Future<Output = Result<()>> + Send;

    /// Reads instances with their turns and pending messages, and commands that were answered before. Sees every commit
    /// whose success was known before the call; one that is still on its way may be seen or not.
    fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> impl Future<Output = Result<Loaded>> + Send;

    /// Reads for several partitions, as [`Self::load`] does for each of them: one that is fenced is no trouble of the others.
    /// Returns what was read for each, in order.
    fn load_together(&self, loads: Vec<(Partition, Epoch, Load)>) -> impl Future<Output = Vec<Result<Loaded>>> + Send {
        join_all(loads.into_iter().map(|(partition, epoch, load)| self.load(partition, epoch, load)))
    }

    /// Reads single turns, for rebuilding the messages of an outbox row; those that are gone are left out.
    fn turns(
        &self,
        partition: Partition,
        epoch: Epoch,
        keys: Vec<TurnKey>,
    ) -> impl Future<Output = Result<Vec<TurnRow>>> + Send;

    /// Reads the timers that come due before `until`, soonest first, at most `limit`.
    fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<TimerRow>>> + Send;

    /// Reads a page of instances, whatever becomes of them meanwhile. Looks at so many rows at a time that it is a short
    /// read.
    fn sweep(&self, partition: Partition, epoch: Epoch, sweep: Sweep) -> impl Future<Output = Result<Swept>> + Send;

    /// Writes all of a batch or nothing.
    ///
    /// Fails with [`Error::Fenced`](crate::Error::Fenced), [`Error::Refused`](crate::Error::Refused) (a row the
    /// database will never take), [`Error::OutOfTurn`](crate::Error::OutOfTurn), [`Error::Used`](crate::Error::Used) (what was taken
    /// for new is not), [`Error::Unavailable`](crate::Error::Unavailable)
    /// (nothing written) or [`Error::Unknown`](crate::Error::Unknown). To drop the future stops the waiting, not the commit.
    fn commit(&self, commit: Commit) -> impl Future<Output = Result<()>> + Send {
        async move { self.commit_together(vec![commit]).await.pop().expect("one commit has one result") }
    }

    /// Writes batches of several partitions, at most one of each, as [`Self::commit`] does each of them: one that is fenced
    /// or refused is no trouble of the others. Returns what became of each, in order.
    ///
    /// A partition's next batch may be asked for before this one is written, once this future has been polled: it is written
    /// after this one, or, if this one is not, out of turn.
    fn commit_together(&self, commits: Vec<Commit>) -> impl Future<Output = Vec<Result<()>>> + Send;

    /// Forgets commands answered before `answered_before`, and payloads as old that no running execution has a task for;
    /// returns pending messages for instances that nobody has
    /// seen and that expired before `now` (their removal is a commit's); at most `limit` of each.
    fn expire(
        &self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Expired>> + Send;
}
