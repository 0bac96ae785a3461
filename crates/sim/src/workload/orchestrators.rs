//! Orchestrators that use every primitive, each small enough to know how it must end.

use std::time::Duration;

use warren::{
    ClosePolicy, Context, Failure, First, RetryPolicy, Second, all, any, bounded, code, hours, join, race, race_all,
    seconds, settled as all_settled,
};

use super::contract::{
    ADDER, CHAIN, CHANCE, DEADLY, DOUBLE, ECHO, ENDLESS, FAIL, FLAKY, GO, LONG, PARENT, SLOW, UNLUCKY,
};

fn soon() -> RetryPolicy {
    RetryPolicy::times(5).first_delay(Duration::from_millis(200)).longest_delay(seconds(1))
}

/// Doubles so many times.
pub(crate) async fn chain(ctx: Context, (steps, mut n): (u32, i64)) -> Result<i64, Failure> {
    for _ in 0..steps {
        n = ctx.call(DOUBLE, n).await?;
    }
    Ok(n)
}

/// Doubles 0 to n, beside something that takes workers down.
pub(crate) async fn daring(ctx: Context, n: i64) -> Result<i64, Failure> {
    let (deadly, doubled) = join(ctx.call(DEADLY, n), all((0..n).map(|i| ctx.call(DOUBLE, i)))).await;
    Ok(deadly? + doubled?.iter().sum::<i64>())
}

/// Doubles 0 to n, all at once and three at a time, and adds them.
pub(crate) async fn fan(ctx: Context, n: i64) -> Result<i64, Failure> {
    let (wide, narrow) =
        join(all((0..n).map(|i| ctx.call(DOUBLE, i))), bounded(3, 0..n, |i| ctx.call(DOUBLE, i))).await;
    Ok(wide?.iter().sum::<i64>() + narrow?.iter().sum::<i64>())
}

/// Doubles 1 to n; whichever is first counts, and then whichever succeeds first.
pub(crate) async fn first(ctx: Context, n: i64) -> Result<i64, Failure> {
    let (_, one) = race_all((1..=n).map(|i| ctx.call(DOUBLE, i))).await;
    let failing = ctx.call(FAIL, 0);
    let other = any([failing, ctx.call(DOUBLE, 100)]).await?;
    Ok(one? + other)
}

/// Counts how many of n pairs go well: one of each does.
pub(crate) async fn settle(ctx: Context, n: i64) -> Result<i64, Failure> {
    let ended = all_settled((0..2 * n).map(|i| if i % 2 == 0 { ctx.call(DOUBLE, i) } else { ctx.call(FAIL, i) })).await;
    Ok(i64::try_from(ended.iter().filter(|one| one.is_ok()).count())?)
}

/// Doubles 1, or gives 0 if that takes longer than so many milliseconds.
pub(crate) async fn race_against_time(ctx: Context, millis: u64) -> Result<i64, Failure> {
    match race(ctx.call(DOUBLE, 1), ctx.timer(Duration::from_millis(millis))).await {
        First(doubled) => doubled,
        Second(()) => Ok(0),
    }
}

/// Sleeps so many times, and counts the sleeps that were long enough.
pub(crate) async fn sleeper(ctx: Context, times: u32) -> Result<i64, Failure> {
    let mut count = 0;
    for n in 1..=times {
        let (before, pause) = (ctx.now(), Duration::from_millis(u64::from(n) * 150));
        ctx.timer(pause).await;
        count += i64::from(ctx.now() >= before + pause);
    }
    Ok(count)
}

/// Sets a timer for an hour at each step and drops it.
pub(crate) async fn cancelled(ctx: Context, n: i64) -> Result<i64, Failure> {
    let mut sum = 0;
    for i in 0..n {
        match race(ctx.timer(hours(1)), ctx.call(DOUBLE, i)).await {
            First(()) => return Err(Failure::permanent("late", "an hour has passed")),
            Second(doubled) => sum += doubled?,
        }
    }
    Ok(sum)
}

/// Asks for something slow so many times, gives each up after so many milliseconds, and counts those that were done.
pub(crate) async fn fickle(ctx: Context, (times, millis): (u32, u64)) -> Result<i64, Failure> {
    let mut count = 0;
    for _ in 0..times {
        let slow = ctx.activity(SLOW).cancel_when_dropped().call(1);
        match race(slow, ctx.timer(Duration::from_millis(millis))).await {
            First(done) => count += done?,
            Second(()) => {}
        }
    }
    watcher(ctx, millis).await?;
    Ok(count)
}

/// Has something run that never ends by itself, for so many milliseconds.
pub(crate) async fn watcher(ctx: Context, millis: u64) -> Result<i64, Failure> {
    let endless = ctx.activity(ENDLESS).cancel_when_dropped().call(0);
    match race(endless, ctx.timer(Duration::from_millis(millis))).await {
        First(_) => Err(Failure::permanent("ended", "what never ends has ended")),
        Second(()) => Ok(0),
    }
}

/// Calls something slow under a limit of so many milliseconds; 0 if that is broken, twice if that is tried again.
pub(crate) async fn limited(ctx: Context, (which, millis): (u32, u64)) -> Result<i64, Failure> {
    let (slow, limit) = (ctx.activity(SLOW).retry(RetryPolicy::times(2)), Duration::from_millis(millis));
    let (slow, code) = match which {
        0 => (slow.schedule_to_start(limit), code::SCHEDULE_TO_START),
        1 => (slow.start_to_close(limit), code::START_TO_CLOSE),
        2 => (slow.heartbeat(limit), code::HEARTBEAT),
        _ => (slow.schedule_to_close(limit), code::SCHEDULE_TO_CLOSE),
    };
    match slow.call(7).await {
        Err(failure) if failure.code == code => Ok(0),
        ended => ended,
    }
}

/// Waits for so many events and adds them.
pub(crate) async fn adder(ctx: Context, events: u32) -> Result<i64, Failure> {
    let mut sum = 0;
    for _ in 0..events {
        sum += ctx.event(GO).await?;
    }
    Ok(sum)
}

/// Waits for an event, no longer than so many milliseconds.
pub(crate) async fn within(ctx: Context, millis: u64) -> Result<Option<i64>, Failure> {
    ctx.event(GO).within(Duration::from_millis(millis)).await
}

/// Has children double: one with an id, others without, and one level deeper for as long as n is positive.
pub(crate) async fn parent(ctx: Context, n: i64) -> Result<i64, Failure> {
    let named = ctx.orchestrator(CHAIN).id(format!("{}/c", ctx.instance())).call((1, n));
    let others = all((0..2).map(|i| ctx.orchestrator(CHAIN).call((1, i))));
    let deeper = if n > 0 { ctx.orchestrator(PARENT).call(n - 1).await? } else { 0 };
    let (named, others) = join(named, others).await;
    Ok(named? + others?.iter().sum::<i64>() + deeper)
}

/// Has a child that may fail, again and again.
pub(crate) async fn stubborn(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.orchestrator(UNLUCKY).retry(soon()).call(n).await
}

/// Fails by chance, after it has left a timer and a child behind.
pub(crate) async fn unlucky(ctx: Context, n: i64) -> Result<i64, Failure> {
    let _timer = ctx.timer(hours(1));
    let _child = ctx.orchestrator(ADDER).call(1);
    ctx.call(CHANCE, n).await
}

/// Ends before its children: one is terminated with it, the other goes on alone.
pub(crate) async fn leaver(ctx: Context, alone: String) -> Result<i64, Failure> {
    let _alone = ctx.orchestrator(ADDER).id(alone).on_close(ClosePolicy::Abandon).call(1);
    let _along = ctx.orchestrator(ADDER).call(1);
    ctx.call(DOUBLE, 21).await
}

/// Adds events, one execution each; every second execution looks away while some arrive.
pub(crate) async fn collector(ctx: Context, (left, sum): (u32, i64)) -> Result<i64, Failure> {
    if left == 0 {
        return Ok(sum);
    }
    drop(ctx.timer(hours(2)));
    if left.is_multiple_of(2) {
        ctx.call(ECHO, "one moment".into()).await?;
    }
    let value = ctx.event(GO).await?;
    ctx.continue_as_new((left - 1, sum + value))
}

/// Sends the other so many events and waits for an answer to each.
pub(crate) async fn ping(ctx: Context, (other, first, rounds): (String, i64, u32)) -> Result<i64, Failure> {
    let mut sum = 0;
    for round in 0..rounds {
        ctx.send_event(&other, GO, first + i64::from(round))?;
        sum += ctx.event(GO).await?;
    }
    Ok(sum)
}

/// Answers so many events with the negative of each, one execution a round.
pub(crate) async fn pong(ctx: Context, (other, rounds): (String, u32)) -> Result<i64, Failure> {
    if rounds == 0 {
        return Ok(0);
    }
    let value = ctx.event(GO).await?;
    ctx.send_event(&other, GO, -value)?;
    ctx.continue_as_new((other, rounds - 1))
}

/// Has what it drew by chance said back to it, and sees whether it is still the same.
pub(crate) async fn recorded(ctx: Context, times: u32) -> Result<bool, Failure> {
    for _ in 0..times {
        let drawn = format!("{} {} {} {}", ctx.uuid(), ctx.random(), ctx.random_in(1..=6), ctx.now());
        let said = ctx.call(ECHO, drawn.clone()).await?;
        if said != drawn {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Calls what fails so many times; five attempts are made.
pub(crate) async fn retries(ctx: Context, (fails, n): (u32, i64)) -> Result<i64, Failure> {
    ctx.activity(FLAKY).retry(soon()).call((fails, n)).await
}

/// Fails.
pub(crate) async fn refused(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.activity(FAIL).retry(soon()).call(n).await
}

/// Has an input, a result and a child's input over the limit, and tells the code of each failure.
pub(crate) async fn too_large(ctx: Context, bytes: usize) -> Result<Vec<String>, Failure> {
    let text = "x".repeat(bytes);
    let input = ctx.call(ECHO, text.clone()).await;
    let result = ctx.call(LONG, bytes).await;
    let child = ctx.orchestrator(warren::Orchestrator::<String, i64>::new("leaver")).call(text).await;
    let codes = [input.map(drop), result.map(drop), child.map(drop)];
    Ok(codes.into_iter().map(|ended| ended.err().map_or_else(String::new, |failure| failure.code)).collect())
}

/// Shows its progress.
pub(crate) async fn shown(ctx: Context, steps: u32) -> Result<u32, Failure> {
    for step in 1..=steps {
        ctx.set_custom_status(&step)?;
        ctx.call(DOUBLE, 0).await?;
    }
    Ok(steps)
}

/// The older version doubles three times …
pub(crate) async fn versioned_once(ctx: Context, n: i64) -> Result<i64, Failure> {
    chain(ctx, (3, n)).await
}

/// … and the newer one sleeps in between, for what its history would not allow.
pub(crate) async fn versioned_twice(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.call(DOUBLE, n).await?;
    ctx.timer(Duration::from_millis(300)).await;
    ctx.call(DOUBLE, n + 1).await
}

/// Has a child under an id that another wants too.
pub(crate) async fn twin(ctx: Context, child: String) -> Result<i64, Failure> {
    ctx.orchestrator(CHAIN).id(child).call((2, 1)).await
}

/// Sleeps so many seconds: longer than an owner looks ahead.
pub(crate) async fn distant(ctx: Context, duration: u64) -> Result<i64, Failure> {
    let other = ctx.timer(seconds(duration / 2));
    let one = ctx.timer(seconds(duration));
    join(one, other).await;
    Ok(1)
}

/// What the newer code can do.
pub(crate) async fn late(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.call(DOUBLE, n).await
}
