//! What one session writes, in order.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::{Mutex, mpsc},
    time::timeout,
};
use warren_engine::Identity;
use warren_model::Partition;
use warren_store::{Commit, Epoch, Error, PartitionState, Store, Suspect};

use super::{group::Writer, session::answer};
use crate::owner::{self, Effect, Input};

/// Most expired rows that are removed at a time.
const EXPIRE_MAX: usize = 1_000;
/// How long the store may take to note an accusation.
const ACCUSE_MAX: Duration = Duration::from_secs(5);

/// Writes what a session asks for: in order, commits without waiting for each other. Ends at the first failure, and the
/// session with it.
///
/// From the commit of marks to that of the batch that they are for, no other partition of this process runs suspects: else
/// one that takes the process down would have their marks raised along with its own.
pub(super) async fn write<S: Store>(
    (store, writer): (S, Writer),
    (partition, epoch): (Partition, Epoch),
    mut wanted: mpsc::UnboundedReceiver<Effect>,
    inputs: mpsc::UnboundedSender<Input>,
    suspects: Arc<Mutex<()>>,
) -> anyhow::Result<()> {
    let mut flights = Flights { store: &store, inputs: &inputs, flying: FuturesOrdered::new() };
    let mut alone = None;
    loop {
        let effect = tokio::select! {
            biased;
            Some(flown) = flights.flying.next() => {
                flights.land(flown).await?;
                continue;
            }
            effect = wanted.recv() => effect,
        };
        let Some(effect) = effect else { return flights.land_all().await };
        match effect {
            Effect::Commit(commit) => {
                let marks = !commit.suspects.is_empty();
                if marks && alone.is_none() {
                    flights.land_all().await?;
                    alone = Some(suspects.clone().lock_owned().await);
                }
                flights.flying.push_back(fly(&writer, *commit));
                if alone.is_some() {
                    flights.land_all().await?;
                }
                if !marks {
                    alone = None;
                }
            }
            Effect::ReadTimers { until, limit } => {
                flights.land_all().await?;
                let rows = store.timers(partition, epoch, until, limit).await?;
                answer(&inputs, Input::Timers(rows))?;
            }
            Effect::Expire { answered_before, now } => {
                flights.land_all().await?;
                let rows = store.expire(partition, epoch, answered_before, now, EXPIRE_MAX).await?;
                answer(&inputs, Input::Expired(rows))?;
            }
            Effect::Load(_)
            | Effect::ReadTurns { .. }
            | Effect::Sweep(_)
            | Effect::Publish { .. }
            | Effect::Ack(_)
            | Effect::Trace(_)
            | Effect::Drained => {}
        }
    }
}

/// A commit and what became of it.
type Flown = (Commit, warren_store::Result<()>);

/// Commits on their way.
struct Flights<'s, S, F: Future<Output = Flown>> {
    store: &'s S,
    inputs: &'s mpsc::UnboundedSender<Input>,
    flying: FuturesOrdered<F>,
}

impl<S: Store, F: Future<Output = Flown>> Flights<'_, S, F> {
    async fn land_all(&mut self) -> anyhow::Result<()> {
        while let Some(flown) = self.flying.next().await {
            self.land(flown).await?;
        }
        Ok(())
    }

    /// Tells of a commit that is written. Of one that is refused for good, the instances are marked, so that the next session
    /// finds the guilty one among them; whatever follows it is refused along with it.
    async fn land(&self, (commit, written): Flown) -> anyhow::Result<()> {
        let Err(error) = written else { return answer(self.inputs, Input::Committed(commit.number)) };
        let partition = commit.partition;
        let suspects = if let Error::Refused(why) = &error { owner::blame(&commit, why) } else { Vec::new() };
        if !suspects.is_empty() {
            tracing::error!(%partition, instances = suspects.len(), why = %error, "store refuses a commit for good, its instances are suspected");
            if let Err(error) = mark(self.store, partition, commit.epoch, |_| suspects).await {
                tracing::error!(%partition, %error, "suspects could not be marked");
            }
        }
        Err(error.into())
    }
}

async fn fly(writer: &Writer, commit: Commit) -> Flown {
    let written = writer.ask(commit.clone()).await;
    (commit, written)
}

/// Marks instances, in a commit that follows whatever was written last; nothing else of its session is written any more, not
/// even what is on its way.
async fn mark<S: Store>(
    store: &S,
    partition: Partition,
    epoch: Epoch,
    suspects: impl FnOnce(&PartitionState) -> Vec<Suspect>,
) -> warren_store::Result<()> {
    store.supersede(partition, epoch).await?;
    let state = store.partition(partition, epoch).await?;
    store.commit(Commit { suspects: suspects(&state), ..Commit::new(partition, epoch, state.number + 1) }).await
}

/// Marks an instance whose turn does not return; nothing else of its session is written any more.
pub(super) async fn accuse<S: Store>(store: &S, partition: Partition, epoch: Epoch, identity: &Identity, seconds: u64) {
    let accused = |state: &PartitionState| {
        let before = state.suspects.iter().find(|mark| mark.instance == identity.instance);
        vec![owner::accuse(&identity.instance, before, seconds)]
    };
    match timeout(ACCUSE_MAX, mark(store, partition, epoch, accused)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%partition, %error, "instance could not be marked as suspect"),
        Err(_) => tracing::error!(%partition, "instance could not be marked as suspect, the store gives no answer"),
    }
}

#[cfg(test)]
#[path = "writes_test.rs"]
mod test;
