//! The activities: they take some time, compute a number, and write down what they did.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;
use warren::{ActivityContext, CancelReason, Failure};
use warren_chaos_checker::What;

use super::{
    contract::{Bulk, BulkDone, Done, Step, ballast, takes_ms, toils_ms, value},
    ledger::Ledger,
};

/// Bits of a run's number: JSON readers of other languages keep so many of a number.
const RUN_BITS: u32 = 53;
/// How often a long activity says how far it is.
const BEAT: Duration = Duration::from_millis(250);

pub(crate) async fn carry(ledger: Arc<Ledger>, ctx: ActivityContext, bulk: Bulk) -> Result<BulkDone, Failure> {
    if bulk.ballast != ballast(bulk.step.carry) {
        return Err(Failure::permanent("wrong_ballast", format!("{} bytes", bulk.ballast.len())));
    }
    let done = step(ledger, ctx, bulk.step).await?;
    Ok(BulkDone { done, ballast: ballast(done.value) })
}

pub(crate) async fn step(ledger: Arc<Ledger>, ctx: ActivityContext, step: Step) -> Result<Done, Failure> {
    let run = run();
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

/// Takes long, and goes on where an earlier run was.
pub(crate) async fn toil(ledger: Arc<Ledger>, ctx: ActivityContext, step: Step) -> Result<Done, Failure> {
    let takes = Duration::from_millis(toils_ms(step.carry, step.step));
    until_told(ledger, ctx, step, Some(takes)).await
}

/// Never ends by itself.
pub(crate) async fn watch(ledger: Arc<Ledger>, ctx: ActivityContext, step: Step) -> Result<Done, Failure> {
    until_told(ledger, ctx, step, None).await
}

async fn until_told(
    ledger: Arc<Ledger>,
    ctx: ActivityContext,
    step: Step,
    takes: Option<Duration>,
) -> Result<Done, Failure> {
    let run = run();
    let write = |what, value| ledger.write(&ctx, &step, what, (run, value));
    write(What::Began, 0)?;
    let mut beats: u32 = ctx.progress()?.unwrap_or_default();
    let work = async {
        while takes.is_none_or(|takes| BEAT * beats < takes) {
            tokio::time::sleep(BEAT).await;
            beats += 1;
            ctx.heartbeat(&beats)?;
        }
        Ok::<_, Failure>(())
    };
    tokio::select! {
        worked = work => worked?,
        reason = ctx.cancelled() => {
            write(if reason == CancelReason::Cancelled { What::Stopped } else { What::Interrupted }, 0)?;
            return Err(Failure::new("told", format!("{reason:?}")));
        }
    }
    let value = value(step.carry, step.step);
    write(What::Returned, value)?;
    Ok(Done { value, run })
}

fn run() -> u64 {
    Uuid::new_v4().as_u64_pair().0 >> (u64::BITS - RUN_BITS)
}
