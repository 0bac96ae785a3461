//! The connection by which batches follow each other without a word in between.
//!
//! Whoever writes while others write does so by their connection, behind them: PostgreSQL begins with the next batch as
//! soon as it has ended the one before, while what computes batches is at yet another. (Its protocol allows to send a
//! statement before the one before is answered, and carries them out in order.) By another connection it would have to
//! wait, for the number of the batch before is not yet written.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use deadpool_postgres::{Client, Pool};
use tokio::sync::{Mutex, MutexGuard, oneshot};
use warren_model::Partition;

use crate::{Commit, Result, postgres::pool::discard};

/// What the writers of a thread share. Nobody sends while another is about to.
#[derive(Default)]
pub(in crate::postgres) struct Line(Mutex<Last>);

/// The number of the last batch of each partition that was written.
pub(super) type Written = BTreeMap<Partition, u64>;

/// Who was last to send.
#[derive(Default)]
pub(super) struct Last {
    /// By which connection; it is gone if nothing is on its way there.
    used: Weak<Shared>,
    /// Becomes known once whatever was sent last has ended, and whatever of it had to be sent again.
    written: Option<oneshot::Receiver<Written>>,
}

impl Line {
    /// Waits until whoever was before has sent.
    pub(super) async fn turn(&self) -> MutexGuard<'_, Last> {
        self.0.lock().await
    }
}

impl Last {
    /// Returns the connection by which to send.
    pub(super) async fn connection(&mut self, pool: &Pool) -> Result<Arc<Shared>> {
        if let Some(used) = self.used.upgrade().filter(|used| used.is_open()) {
            return Ok(used);
        }
        let connection = Arc::new(Shared { client: Some(pool.get().await?), is_broken: AtomicBool::new(false) });
        self.used = Arc::downgrade(&connection);
        Ok(connection)
    }

    #[cfg(test)]
    pub(super) fn on_their_way(&self) -> usize {
        self.used.strong_count()
    }

    /// Puts a batch behind the last ones; returns what will become of those.
    pub(super) fn follow(&mut self, written: oneshot::Receiver<Written>) -> Option<oneshot::Receiver<Written>> {
        self.written.replace(written)
    }
}

/// A connection of several writers. The last one gives it back.
pub(super) struct Shared {
    /// Only drop takes it.
    client: Option<Client>,
    /// Whether it may be inside a transaction that nobody ends.
    is_broken: AtomicBool,
}

impl Shared {
    pub(super) fn client(&self) -> &Client {
        self.client.as_ref().expect("only drop takes it")
    }

    fn is_open(&self) -> bool {
        !self.is_broken.load(Ordering::Relaxed) && !self.client().is_closed()
    }

    /// Keeps others from using it: it is closed once nobody waits for an answer any more.
    pub(super) fn give_up(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.is_broken.load(Ordering::Relaxed)
        {
            discard(client);
        }
    }
}

/// Returns which of the batches were written.
pub(super) fn written(commits: &[Commit], results: &[Result<()>]) -> impl Iterator<Item = (Partition, u64)> {
    let written = commits.iter().zip(results).filter(|(_, result)| result.is_ok());
    written.map(|(commit, _)| (commit.partition, commit.number))
}
