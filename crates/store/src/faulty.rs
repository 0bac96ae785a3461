//! A store whose calls fail by a script, around any other: for tests of those who use one.
//!
//! A call may fail before it is sent, while it is on its way (then it lands later, or never) or after it was carried out.
//! The caller is told what a real backend would say: [`Error::Unknown`] of a commit that may have been written,
//! [`Error::Unavailable`] otherwise. The same seed gives the same faults to the same calls.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use warren_model::{Partition, Timestamp};

use crate::{
    Commit, Epoch, Error, Expired, Hub, Lease, Load, Loaded, PartitionState, Renewal, Result, Store, Survey, Sweep,
    Swept, TimerRow, TurnKey, TurnRow,
};

/// A method of [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the methods have the docs")]
pub enum Call {
    Survey,
    Acquire,
    Renew,
    Release,
    Partition,
    Supersede,
    Load,
    Turns,
    Timers,
    Sweep,
    Commit,
    Expire,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not sent.
    Before,
    /// Its caller is told at once, and it lands some time later.
    DuringAndLands,
    /// It is lost on its way.
    DuringAndLost,
    /// It is carried out, and the answer is lost.
    After,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::Before, Self::DuringAndLands, Self::DuringAndLost, Self::After];
}

/// Which calls fail, and how.
#[derive(Clone, Debug, Default)]
pub struct Script {
    planned: VecDeque<(Call, Fault)>,
    per_mille: u64,
    state: u64,
    happened: Vec<(Call, Fault)>,
}

impl Script {
    /// No call fails.
    pub fn none() -> Self {
        Self::default()
    }

    /// So many of a thousand calls fail, in any way; the seed decides which and how.
    pub fn seeded(seed: u64, per_mille: u64) -> Self {
        Self { per_mille, state: seed, ..Self::default() }
    }

    /// The next call of this kind fails so, once what was planned before has happened.
    #[must_use]
    pub fn then(mut self, call: Call, fault: Fault) -> Self {
        self.planned.push_back((call, fault));
        self
    }

    fn next(&mut self, call: Call) -> Option<Fault> {
        let fault = if self.planned.front().is_some_and(|(planned, _)| *planned == call) {
            self.planned.pop_front().map(|(_, fault)| fault)
        } else if self.per_mille > 0 && self.random() % 1_000 < self.per_mille {
            let which = usize::try_from(self.random() % 4).unwrap_or_default();
            Some(Fault::ALL[which])
        } else {
            None
        };
        self.happened.extend(fault.map(|fault| (call, fault)));
        fault
    }

    /// SplitMix64: small, and good enough to choose by.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A store that fails by a script. Its clones share the script.
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    inner: S,
    script: Arc<Mutex<Script>>,
}

impl<S: Store> Faulty<S> {
    /// Wraps a store.
    pub fn new(inner: S, script: Script) -> Self {
        Self { inner, script: Arc::new(Mutex::new(script)) }
    }

    /// Replaces the script.
    pub fn follow(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// Returns what has gone wrong since the script began.
    pub fn happened(&self) -> Vec<(Call, Fault)> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).happened.clone()
    }

    async fn call<T, F>(&self, call: Call, run: impl FnOnce(S) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let fault = self.script.lock().unwrap_or_else(PoisonError::into_inner).next(call);
        let running = run(self.inner.clone());
        match fault {
            None => return running.await,
            Some(Fault::Before) => return Err(Error::Unavailable(format!("{call:?} was not sent, as scripted"))),
            Some(Fault::DuringAndLost) => drop(running),
            Some(Fault::DuringAndLands) => drop(tokio::spawn(running)),
            // Whatever the answer was: it is lost.
            Some(Fault::After) => drop(running.await),
        }
        let why = format!("the answer to {call:?} was lost, as scripted");
        Err(if call == Call::Commit { Error::Unknown(why) } else { Error::Unavailable(why) })
    }
}

impl<S: Store> Store for Faulty<S> {
    fn hub(&self) -> &Hub {
        self.inner.hub()
    }

    fn apart(&self) -> Self {
        Self { inner: self.inner.apart(), script: self.script.clone() }
    }

    async fn survey(&self) -> Result<Survey> {
        self.call(Call::Survey, |store| async move { store.survey().await }).await
    }

    async fn acquire(&self, seen: &Lease, owner: &str) -> Result<Option<Epoch>> {
        let (seen, owner) = (seen.clone(), owner.to_owned());
        self.call(Call::Acquire, |store| async move { store.acquire(&seen, &owner).await }).await
    }

    async fn renew(&self, replica: &str, stands: bool, held: &[(Partition, Epoch)]) -> Result<Renewal> {
        let (replica, held) = (replica.to_owned(), held.to_vec());
        self.call(Call::Renew, |store| async move { store.renew(&replica, stands, &held).await }).await
    }

    async fn release(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.call(Call::Release, |store| async move { store.release(partition, epoch).await }).await
    }

    async fn partition(&self, partition: Partition, epoch: Epoch) -> Result<PartitionState> {
        self.call(Call::Partition, |store| async move { store.partition(partition, epoch).await }).await
    }

    async fn supersede(&self, partition: Partition, epoch: Epoch) -> Result<()> {
        self.call(Call::Supersede, |store| async move { store.supersede(partition, epoch).await }).await
    }

    async fn load(&self, partition: Partition, epoch: Epoch, load: Load) -> Result<Loaded> {
        self.call(Call::Load, |store| async move { store.load(partition, epoch, load).await }).await
    }

    async fn turns(&self, partition: Partition, epoch: Epoch, keys: Vec<TurnKey>) -> Result<Vec<TurnRow>> {
        self.call(Call::Turns, |store| async move { store.turns(partition, epoch, keys).await }).await
    }

    async fn timers(
        &self,
        partition: Partition,
        epoch: Epoch,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TimerRow>> {
        self.call(Call::Timers, |store| async move { store.timers(partition, epoch, until, limit).await }).await
    }

    async fn sweep(&self, partition: Partition, epoch: Epoch, sweep: Sweep) -> Result<Swept> {
        self.call(Call::Sweep, |store| async move { store.sweep(partition, epoch, sweep).await }).await
    }

    async fn commit_together(&self, commits: Vec<Commit>) -> Vec<Result<()>> {
        let count = commits.len();
        let call = self.call(Call::Commit, |store| async move { Ok(store.commit_together(commits).await) });
        call.await.unwrap_or_else(|error| vec![Err(error); count])
    }

    async fn expire(
        &self,
        partition: Partition,
        epoch: Epoch,
        answered_before: Timestamp,
        now: Timestamp,
        limit: usize,
    ) -> Result<Expired> {
        let run = |store: S| async move { store.expire(partition, epoch, answered_before, now, limit).await };
        self.call(Call::Expire, run).await
    }
}

#[cfg(test)]
#[path = "faulty_test.rs"]
mod test;
