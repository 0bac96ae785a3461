//! Nobody goes on with what nobody waits for: whoever runs it is told, or has died.
//!
//! When the workers are stopped, everything has ended, and some time has passed. What still runs then was told of neither
//! the end of its instance nor its cancellation.

use crate::{Kind, Verdict, What, judge::World};

pub(crate) fn check(world: &World<'_>, verdict: &mut Verdict) {
    for entry in world.ledger {
        match entry.what {
            What::Stopped => verdict.stopped += 1,
            What::Interrupted => {
                let evidence = format!("run {} of task {} went on until its worker stopped", entry.run, entry.task);
                verdict.add(Kind::Leftover, &entry.instance, evidence);
            }
            What::Began | What::Returned | What::Failed => {}
        }
    }
}
