use crate::{
    Context, Failure, Timestamp, join, race, seconds,
    testing::{Driver, asked, at, fired, result},
};
use warren_engine::Progress;

type Done = Result<(), Failure>;

#[test]
fn a_timer_that_is_dropped_before_it_fires_is_cancelled() {
    let (mut driver, first) = Driver::begin(
        |ctx: Context, ()| async move {
            drop(ctx.timer(seconds(1)));
            race(ctx.timer(seconds(2)), ctx.timer(seconds(3))).await;
            Done::Ok(())
        },
        (),
    );
    assert_eq!(asked(&first), ["timer 1 +1s", "cancel 1", "timer 2 +2s", "timer 3 +3s"]);
    let end = driver.turn([fired(2)]);
    assert_eq!(asked(&end), ["cancel 3"]);
    result::<()>(&end);
}

#[test]
fn a_timer_that_has_fired_is_not_cancelled_even_if_nobody_saw_it() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let unseen = ctx.timer(seconds(1));
            ctx.timer(seconds(2)).await;
            drop(unseen);
            Done::Ok(())
        },
        (),
    );
    assert_eq!(driver.turn([fired(1)]).progress, Progress::Waiting);
    assert_eq!(asked(&driver.turn([fired(2)])), Vec::<String>::new());
}

#[test]
fn a_timer_that_is_left_at_the_end_is_cancelled() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let _left = ctx.timer(seconds(9));
            ctx.timer(seconds(1)).await;
            Done::Ok(())
        },
        (),
    );
    assert_eq!(asked(&driver.turn([fired(2)])), ["cancel 1"]);
}

#[test]
fn a_timer_may_be_for_a_moment_and_beyond_the_end_of_time() {
    let (_, first) = Driver::begin(
        |ctx: Context, ()| async move {
            join(ctx.timer_until(at(7)), ctx.timer(std::time::Duration::MAX)).await;
            Done::Ok(())
        },
        (),
    );
    let beyond = Timestamp::MAX.duration_since(at(0)).as_secs();
    assert_eq!(asked(&first), ["timer 1 +7s".to_owned(), format!("timer 2 +{beyond}s")]);
}
