use warren_engine::Progress;

use super::*;
use crate::{
    Raced, join, race, seconds, settled,
    testing::{Driver, asked, failure, fired, raised, result},
};

const NOTE: Event<u32> = Event::new("note");
const STOP: Event<()> = Event::new("stop");

#[test]
fn events_are_kept_until_they_are_awaited_first_in_first_out() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            ctx.event(STOP).await?;
            let first = ctx.event(NOTE).await?;
            Ok::<_, Failure>((first, ctx.event(NOTE).await?))
        },
        (),
    );
    driver.turn([raised("note", 1), raised("other", 0)]);
    driver.turn([raised("note", 2)]);
    assert_eq!(result::<(u32, u32)>(&driver.turn([raised("stop", ())])), (1, 2));
}

#[test]
fn a_wait_that_is_dropped_swallows_no_event() {
    // H10
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            // Waits, is dropped when the timer fires, and the event is there for the next one.
            let raced = race(ctx.event(NOTE), ctx.timer(seconds(1))).await;
            assert_eq!(raced, Raced::Second(()));
            // Is never polled at all.
            drop(ctx.event(NOTE));
            ctx.event(STOP).await?;
            ctx.event(NOTE).await
        },
        (),
    );
    driver.turn([fired(1)]);
    driver.turn([raised("note", 5)]);
    assert_eq!(result::<u32>(&driver.turn([raised("stop", ())])), 5);
}

#[test]
fn a_wait_that_was_woken_but_lost_its_race_leaves_the_event() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            // Both are ready in the same poll, as the events came before the race; the first one counts.
            ctx.event(Event::<()>::new("go")).await?;
            let raced = race(ctx.event(STOP), ctx.event(NOTE)).await;
            assert_eq!(raced, Raced::First(Ok(())));
            ctx.event(NOTE).await
        },
        (),
    );
    driver.turn([raised("note", 5), raised("stop", ())]);
    assert_eq!(result::<u32>(&driver.turn([raised("go", ())])), 5);
}

#[test]
fn each_event_is_given_to_one_waiter() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let many = settled((0..3).map(|_| ctx.event(NOTE)));
            let (one, many) = join(ctx.event(NOTE), many).await;
            let many: Result<Vec<u32>, Failure> = many.into_iter().collect();
            Ok::<_, Failure>((one?, many?))
        },
        (),
    );
    assert_eq!(driver.turn([raised("note", 1), raised("note", 2), raised("note", 3)]).progress, Progress::Waiting);
    assert_eq!(result::<(u32, Vec<u32>)>(&driver.turn([raised("note", 4)])), (1, vec![2, 3, 4]));
}

#[test]
fn a_waiter_that_is_held_but_not_polled_does_not_hold_up_others() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let mut held = ctx.event(NOTE);
            let raced = race(&mut held, ctx.timer(seconds(1))).await;
            assert_eq!(raced, Raced::Second(()));
            let got = settled([ctx.event(NOTE)]).await.remove(0)?;
            drop(held);
            Ok::<_, Failure>(got)
        },
        (),
    );
    driver.turn([fired(1)]);
    assert_eq!(result::<u32>(&driver.turn([raised("note", 5)])), 5);
}

#[test]
fn an_event_of_the_wrong_shape_is_a_failure_that_names_it() {
    let (mut driver, _) = Driver::begin(|ctx: Context, ()| async move { ctx.event(NOTE).await }, ());
    let end = driver.turn([raised("note", "five")]);
    let message = r#"event `note`: invalid type: string "five", expected u32"#;
    assert_eq!(failure(&end), Failure::permanent("invalid_input", message));
}

#[test]
fn a_deadline_is_cancelled_by_the_event() {
    let (mut driver, first) =
        Driver::begin(|ctx: Context, ()| async move { ctx.event(NOTE).within(seconds(60)).await }, ());
    assert_eq!(asked(&first), ["timer 1 +60s"]);
    let end = driver.turn([raised("note", 5)]);
    assert_eq!((asked(&end), result::<Option<u32>>(&end)), (vec!["cancel 1".into()], Some(5)));
}

#[test]
fn at_the_deadline_there_is_nothing() {
    let (mut driver, _) =
        Driver::begin(|ctx: Context, ()| async move { ctx.event(NOTE).within(seconds(60)).await }, ());
    assert_eq!(result::<Option<u32>>(&driver.turn([fired(1), raised("note", 5)])), None);
}
