use std::{
    cell::Cell,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use warren_engine::{Program, Progress};

use super::*;
use crate::{
    Activity, Context, Failure,
    program::{Run, erase},
    seconds,
    testing::{Driver, asked, busy, done, failed, failure, fired, identity, result, started},
};

const A: Activity<u32, u32> = Activity::new("a");

#[test]
fn join_waits_for_all_whatever_their_order() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let (a, b) = join(ctx.call(A, 1), ctx.timer(seconds(1))).await;
            let (c, d, e) = join3(ctx.call(A, 2), ctx.call(A, 3), async { 5 }).await;
            Ok::<_, Failure>((a?, b, c?, d?, e))
        },
        (),
    );
    assert_eq!(asked(&driver.turn([fired(2), done(1, 10)])), ["task 3 a", "task 4 a"]);
    assert_eq!(result::<(u32, (), u32, u32, u32)>(&driver.turn([done(4, 40), done(3, 30)])), (10, (), 30, 40, 5));
}

#[test]
fn all_keeps_the_order_of_declaration() {
    let (mut driver, first) =
        Driver::begin(|ctx: Context, n: u32| async move { all((0..n).map(|i| ctx.call(A, i))).await }, 3);
    assert_eq!(asked(&first), ["task 1 a", "task 2 a", "task 3 a"]);
    driver.turn([done(3, 30)]);
    assert_eq!(result::<Vec<u32>>(&driver.turn([done(1, 10), done(2, 20)])), [10, 20, 30]);
}

#[test]
fn all_asks_for_everything_before_it_is_awaited() {
    let (_, first) = Driver::begin(
        |ctx: Context, ()| async move {
            let tasks = all((0..2).map(|i| ctx.call(A, i)));
            ctx.timer(seconds(1)).await;
            tasks.await
        },
        (),
    );
    assert_eq!(asked(&first), ["task 1 a", "task 2 a", "timer 3 +1s"]);
}

#[test]
fn all_of_nothing_is_nothing() {
    let nothing = |ctx: Context, ()| async move {
        let none = all(std::iter::empty::<crate::Pending<u32>>()).await?;
        assert!(settled((0..0).map(|i| ctx.call(A, i))).await.is_empty());
        assert!(bounded(3, 0..0, |i| ctx.call(A, i)).await?.is_empty());
        Ok::<_, Failure>(none)
    };
    assert!(result::<Vec<u32>>(&Driver::begin(nothing, ()).1).is_empty());
}

#[test]
fn the_first_failure_ends_all_and_cancels_what_can_be() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let timed = |i| {
                let (call, timer) = (ctx.call(A, i), ctx.timer(seconds(9)));
                async move {
                    let result = call.await;
                    timer.await;
                    result
                }
            };
            all((0..2).map(timed)).await.map(|_| ())
        },
        (),
    );
    driver.turn([failed(3, busy())]);
    let end = driver.turn([fired(4)]);
    assert_eq!((asked(&end), failure(&end)), (vec!["cancel 2".into()], busy()));
}

#[test]
fn settled_keeps_failures_in_their_places() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let outcomes = settled((0..3).map(|i| ctx.call(A, i))).await;
            Ok::<_, Failure>(outcomes.into_iter().map(Result::ok).collect::<Vec<_>>())
        },
        (),
    );
    let end = driver.turn([failed(2, busy()), done(3, 30), done(1, 10)]);
    assert_eq!(result::<Vec<Option<u32>>>(&end), [Some(10), None, Some(30)]);
}

async fn any_of(ctx: Context, n: u32) -> Result<u32, Failure> {
    any((0..n).map(|i| ctx.call(A, i))).await
}

#[test]
fn any_gives_the_first_success() {
    let (mut driver, _) = Driver::begin(any_of, 3);
    assert_eq!(result::<u32>(&driver.turn([failed(1, busy()), done(3, 30), done(2, 20)])), 30);
}

#[test]
fn any_gives_the_last_failure_if_none_succeeds() {
    let (mut driver, _) = Driver::begin(any_of, 2);
    let last = Failure::new("last", "");
    assert_eq!(failure(&driver.turn([failed(2, busy()), failed(1, last.clone())])), last);
    assert_eq!(failure(&Driver::begin(any_of, 0).1).message, "`any` was given nothing to wait for");
}

#[test]
fn of_things_that_are_ready_at_once_the_one_declared_first_counts() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let (a, b, c, d) = (ctx.call(A, 1), ctx.call(A, 2), ctx.call(A, 3), ctx.call(A, 4));
            ctx.timer(seconds(1)).await;
            let first_of_two = matches!(race(a, b).await, Raced::First(Ok(1)));
            let (first_of_many, _) = race_all([ctx.call(A, 4), c, d]).await;
            Ok::<_, Failure>((first_of_two, first_of_many))
        },
        (),
    );
    driver.turn([done(4, 4), done(3, 3), done(2, 2), done(1, 1)]);
    assert_eq!(result::<(bool, usize)>(&driver.turn([fired(5)])), (true, 1));
}

#[test]
fn race_all_tells_which_was_first() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let (index, result) = race_all((0..3).map(|i| ctx.call(A, i))).await;
            Ok::<_, Failure>((index, result?))
        },
        (),
    );
    assert_eq!(result::<(usize, u32)>(&driver.turn([done(3, 30), done(1, 10)])), (2, 30));
}

#[test]
fn a_race_of_nothing_is_reported_as_stuck() {
    let (_, end) =
        Driver::begin(|_: Context, ()| async move { race_all(std::iter::empty::<crate::Pending<u32>>()).await.1 }, ());
    assert!(matches!(end.progress, Progress::Stuck { .. }), "{end:?}");
}

async fn three_at_a_time(ctx: Context, n: u32) -> Result<Vec<u32>, Failure> {
    bounded(3, 0..n, |i| ctx.call(A, i)).await
}

#[test]
fn bounded_begins_the_next_only_when_one_has_ended() {
    let (mut driver, first) = Driver::begin(three_at_a_time, 5);
    assert_eq!(asked(&first), ["task 1 a", "task 2 a", "task 3 a"]);
    assert_eq!(asked(&driver.turn([done(2, 20)])), ["task 4 a"]);
    assert_eq!(asked(&driver.turn([done(4, 40), done(1, 10)])), ["task 5 a"]);
    assert_eq!(result::<Vec<u32>>(&driver.turn([done(5, 50), done(3, 30)])), [10, 20, 30, 40, 50]);
}

#[test]
fn bounded_begins_nothing_after_a_failure() {
    let (mut driver, _) = Driver::begin(three_at_a_time, 5);
    let end = driver.turn([failed(2, busy())]);
    assert_eq!((asked(&end), failure(&end)), (vec![], busy()));
}

#[test]
fn a_limit_of_none_is_one() {
    let (_, first) = Driver::begin(|ctx: Context, ()| async move { bounded(0, 0..5, |i| ctx.call(A, i)).await }, ());
    assert_eq!(asked(&first), ["task 1 a"]);
}

#[test]
fn a_hundred_thousand_results_are_collected_without_quadratic_work() {
    /// How often one of the futures was polled; of this test alone.
    static POLLS: AtomicUsize = AtomicUsize::new(0);

    async fn counted<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| {
            POLLS.fetch_add(1, Ordering::Relaxed);
            future.as_mut().poll(cx)
        })
        .await
    }
    async fn fan_in(ctx: Context, n: u32) -> Result<u64, Failure> {
        let results = all((0..n).map(|i| counted(ctx.call(A, i)))).await?;
        Ok(results.into_iter().map(u64::from).sum())
    }
    for n in [10_000, 100_000] {
        POLLS.store(0, Ordering::Relaxed);
        let mut run = Run::new(identity(), erase(fan_in));
        assert_eq!(run.react(&[started(&n)], false).actions.len(), n as usize);
        // In the worst order, and each in a turn of its own.
        let end = (1..=n).rev().map(|id| run.react(&[done(id, 1)], false)).last().unwrap();
        assert_eq!(result::<u64>(&end), u64::from(n));
        assert_eq!(POLLS.load(Ordering::Relaxed), 2 * n as usize, "each is polled once to begin and once to end");
    }
}

#[test]
fn a_member_that_is_woken_by_another_thread_is_polled_again() {
    let is_first = Cell::new(true);
    let handed_over = std::future::poll_fn(|cx| {
        if is_first.take() {
            let waker = cx.waker().clone();
            std::thread::spawn(move || waker.wake());
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(7)
    });
    assert_eq!(crate::test::block_on(settled([handed_over])), [7]);
}
