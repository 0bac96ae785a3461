//! What one session writes, in order.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, mpsc},
    time::timeout,
};
use warren_engine::Identity;
use warren_model::Partition;
use warren_store::{Commit, Epoch, Error, Store};

use super::{group::Writer, session::answer};
use crate::owner::{self, Effect, Input};

/// Most expired rows that are removed at a time.
const EXPIRE_MAX: usize = 1_000;
/// How long the store may take to note an accusation.
const ACCUSE_MAX: Duration = Duration::from_secs(5);

/// Writes what a session asks for: one at a time, in order. Ends at the first failure, and the session with it.
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
    let mut alone = None;
    while let Some(effect) = wanted.recv().await {
        match effect {
            Effect::Commit(commit) => {
                let (number, marks) = (commit.number, !commit.suspects.is_empty());
                if marks && alone.is_none() {
                    alone = Some(suspects.clone().lock_owned().await);
                }
                write_or_blame(&writer, *commit).await?;
                if !marks {
                    alone = None;
                }
                answer(&inputs, Input::Committed(number))?;
            }
            Effect::ReadTimers { until, limit } => {
                let rows = store.timers(partition, epoch, until, limit).await?;
                answer(&inputs, Input::Timers(rows))?;
            }
            Effect::Expire { answered_before, now } => {
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
    Ok(())
}

/// Writes a commit; of one that is refused for good, the instances are marked in its place, so that the next session
/// finds the guilty one among them.
async fn write_or_blame(writer: &Writer, commit: Commit) -> anyhow::Result<()> {
    let copy = commit.clone();
    let Err(error) = writer.ask(commit).await else { return Ok(()) };
    if let Error::Refused(why) = &error
        && let Some(marks) = owner::blame(&copy, why)
    {
        tracing::error!(partition = %copy.partition, instances = marks.suspects.len(), %why, "store refuses a commit for good, its instances are suspected");
        if let Err(error) = writer.ask(marks).await {
            tracing::error!(partition = %copy.partition, %error, "suspects could not be marked");
        }
    }
    Err(error.into())
}

/// Marks an instance whose turn does not return, in a commit that follows whatever was written last.
pub(super) async fn accuse<S: Store>(store: &S, partition: Partition, epoch: Epoch, identity: &Identity, seconds: u64) {
    let mark = async {
        let state = store.partition(partition, epoch).await?;
        let before = state.suspects.iter().find(|mark| mark.instance == identity.instance);
        let mark = owner::accuse(&identity.instance, before, seconds);
        let commit = Commit { suspects: vec![mark], ..Commit::new(partition, epoch, state.number + 1) };
        store.commit(commit).await
    };
    match timeout(ACCUSE_MAX, mark).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%partition, %error, "instance could not be marked as suspect"),
        Err(_) => tracing::error!(%partition, "instance could not be marked as suspect, the store gives no answer"),
    }
}
