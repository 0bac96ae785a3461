//! One writer per epoch: a commit under an epoch that is over never applies (H2), and no commit is ever refused,
//! but for one that follows another that was not written.

use warren_model::Partition;
use warren_store::{Commit, Epoch};

use super::Violation;
use crate::{ledger::Ledger, store::Trouble, world::World};

/// An epoch was given to a new owner: it must rise.
pub(crate) fn acquired(ledger: &mut Ledger, partition: Partition, epoch: Epoch) -> Result<(), Violation> {
    let before = ledger.epochs.insert(partition, epoch);
    match before {
        Some(before) if before >= epoch => {
            Err(Violation::new("fence", format!("partition {partition} is acquired under {epoch} after {before}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// A commit was written: its epoch must be the newest.
pub(super) fn written(world: &World, commit: &Commit) -> Result<(), Violation> {
    let newest = world.ledger.epochs.get(&commit.partition).copied();
    if newest == Some(commit.epoch) {
        return Ok(());
    }
    let (number, partition, epoch) = (commit.number, commit.partition, commit.epoch);
    let text = format!("commit {number} of partition {partition} was written under {epoch}, the newest is {newest:?}");
    Err(Violation::new("fence", text))
}

/// A commit was not written: for a reason that no owner is to blame for. `has_lost`: whether one of its session before it
/// was not written either, or nobody knows.
pub(crate) fn refused(trouble: &Trouble, has_lost: bool) -> Result<(), Violation> {
    match trouble {
        Trouble::Fenced | Trouble::Used(_) | Trouble::Away => Ok(()),
        Trouble::OutOfTurn(_) if has_lost => Ok(()),
        Trouble::OutOfTurn(why) | Trouble::Refused(why) => Err(Violation::new("refused", why.clone())),
    }
}
