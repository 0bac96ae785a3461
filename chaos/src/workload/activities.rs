//! The activities: they take some time, compute a number, and write down what they did.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;
use warren::{ActivityContext, Failure};
use warren_chaos_checker::What;

use super::{
    contract::{Bulk, BulkDone, Done, Step, ballast, takes_ms, value},
    ledger::Ledger,
};

/// Bits of a run's number: JSON readers of other languages keep so many of a number.
const RUN_BITS: u32 = 53;

pub(crate) async fn carry(ledger: Arc<Ledger>, ctx: ActivityContext, bulk: Bulk) -> Result<BulkDone, Failure> {
    if bulk.ballast != ballast(bulk.step.carry) {
        return Err(Failure::permanent("wrong_ballast", format!("{} bytes", bulk.ballast.len())));
    }
    let done = step(ledger, ctx, bulk.step).await?;
    Ok(BulkDone { done, ballast: ballast(done.value) })
}

pub(crate) async fn step(ledger: Arc<Ledger>, ctx: ActivityContext, step: Step) -> Result<Done, Failure> {
    let run = Uuid::new_v4().as_u64_pair().0 >> (u64::BITS - RUN_BITS);
    let write = |what, value| ledger.write(&ctx, &step, what, (run, value));
    write(What::Began, 0)?;
    tokio::time::sleep(Duration::from_millis(takes_ms(step.carry, step.step))).await;
    if ctx.attempt() <= step.failures {
        write(What::Failed, 0)?;
        return Err(Failure::new("unsteady", format!("attempt {} fails", ctx.attempt())));
    }
    let value = value(step.carry, step.step);
    write(What::Returned, value)?;
    Ok(Done { value, run })
}
