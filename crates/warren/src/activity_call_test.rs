use warren_engine::Progress;
use warren_model::Action;

use super::*;
use crate::{
    NAME_BYTES_MAX, race, seconds,
    testing::{Driver, asked, busy, done, failed, failure, fired, raised, result},
};

const CHARGE: Activity<u32, u32> = Activity::new("charge");
const RESIZE: Activity<u32, u32> = Activity::new("resize").queue("images");

fn steady(attempts: u32) -> RetryPolicy {
    RetryPolicy::times(attempts).first_delay(seconds(10)).jitter(0.0)
}

async fn charge(ctx: Context, policy_attempts: u32) -> Result<u32, Failure> {
    ctx.activity(CHARGE).retry(steady(policy_attempts)).call(7).await
}

#[test]
fn a_failure_is_tried_again_after_a_durable_wait_that_grows() {
    let (mut driver, first) = Driver::begin(charge, 3);
    assert_eq!(asked(&first), ["task 1 charge"]);
    assert_eq!(asked(&driver.turn([failed(1, busy())])), ["timer 2 +11s"]);
    assert_eq!(asked(&driver.turn([fired(2)])), ["task 3 charge again"]);
    assert_eq!(asked(&driver.turn([failed(3, busy())])), ["timer 4 +23s"]);
    let third = driver.turn([fired(4)]);
    let Action::ScheduleTask(task) = &third.actions[0] else { panic!("{third:?}") };
    assert_eq!((task.id.0, task.attempt, task.input.as_str()), (5, 3, "7"));
    assert_eq!(task.first_attempt().0, 1, "H8: all attempts share the first one's idempotency key");
    assert_eq!(result::<u32>(&driver.turn([done(5, 70)])), 70);
}

#[test]
fn the_last_failure_is_the_result() {
    let (mut driver, _) = Driver::begin(charge, 2);
    driver.turn([failed(1, busy()), fired(2)]);
    let end = driver.turn([failed(3, Failure::new("down", "still"))]);
    assert_eq!((asked(&end), failure(&end)), (vec![], Failure::new("down", "still")));
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let (mut driver, _) = Driver::begin(charge, 9);
    assert_eq!(failure(&driver.turn([failed(1, Failure::permanent("declined", ""))])).code, "declined");
}

#[test]
fn a_result_of_the_wrong_shape_is_not_tried_again() {
    let (mut driver, _) = Driver::begin(charge, 9);
    assert_eq!(failure(&driver.turn([done(1, "seven")])).code, "invalid_result");
}

#[test]
fn an_own_predicate_decides_and_needs_no_policy() {
    let only_busy =
        |ctx: Context, ()| async move { ctx.activity(CHARGE).retry_if(|failure| failure.code == "busy").call(7).await };
    let (mut driver, _) = Driver::begin(only_busy, ());
    assert_eq!(driver.turn([failed(1, busy())]).progress, Progress::Waiting);
    driver.turn([fired(2)]);
    assert_eq!(failure(&driver.turn([failed(3, Failure::new("down", ""))])).code, "down");
}

#[test]
fn no_attempt_begins_after_the_total_time() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let policy = steady(9).coefficient(1.0).total_time(seconds(12));
            ctx.activity(CHARGE).retry(policy).call(7).await
        },
        (),
    );
    driver.turn([failed(1, busy())]); // at 1 s: an attempt at 11 s is in time
    driver.turn([fired(2)]); // at 2 s
    assert_eq!(failure(&driver.turn([failed(3, busy())])), busy(), "at 3 s: an attempt at 13 s is not");
}

#[test]
fn dropping_the_call_cancels_the_wait_for_the_next_attempt() {
    const STOP: crate::Event<()> = crate::Event::new("stop");
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            race(ctx.activity(CHARGE).retry(steady(9)).call(7), ctx.event(STOP)).await;
            Ok::<_, Failure>(())
        },
        (),
    );
    driver.turn([failed(1, busy())]);
    assert_eq!(asked(&driver.turn([raised("stop", ())])), ["cancel 2"]);
}

#[test]
fn dropping_the_call_leaves_an_attempt_running() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            race(ctx.activity(CHARGE).retry(steady(9)).call(7), ctx.timer(seconds(1))).await;
            Ok::<_, Failure>(())
        },
        (),
    );
    let end = driver.turn([fired(2)]);
    assert_eq!(asked(&end), Vec::<String>::new());
    result::<()>(&end);
}

#[test]
fn the_queue_is_the_calls_the_contracts_or_the_activitys_own() {
    let (_, first) = Driver::begin(
        |ctx: Context, ()| async move {
            let calls = [ctx.call(CHARGE, 1), ctx.call(RESIZE, 1), ctx.activity(RESIZE).queue("large").call(1)];
            crate::all(calls).await
        },
        (),
    );
    let queue = |action: &Action| {
        let Action::ScheduleTask(task) = action else { panic!("no task: {action:?}") };
        task.queue().to_owned()
    };
    let queues: Vec<String> = first.actions.iter().map(queue).collect();
    assert_eq!(queues, ["charge", "images", "large"]);
}

#[test]
fn a_name_that_is_none_asks_for_nothing() {
    let long: &'static str = "x".repeat(NAME_BYTES_MAX + 1).leak();
    for name in ["", long] {
        let call = move |ctx: Context, ()| async move { ctx.call(Activity::<u32, u32>::new(name), 1).await };
        let (_, end) = Driver::begin(call, ());
        assert_eq!((asked(&end), failure(&end).code.as_str()), (vec![], "invalid_input"));
    }
    let (_, end) = Driver::begin(|ctx: Context, ()| async move { ctx.activity(CHARGE).queue("").call(1).await }, ());
    assert_eq!(failure(&end).message, "activity `charge` can't be called: queue name is empty");
}

#[test]
fn every_attempt_has_the_call_s_key_and_priority() {
    let urgent = |ctx: Context, ()| async move {
        let call = ctx.activity(CHARGE).key("acme").priority(Priority::High).retry(steady(2));
        call.call(7).await
    };
    let (mut driver, first) = Driver::begin(urgent, ());
    driver.turn([failed(1, busy())]);
    let second = driver.turn([fired(2)]);
    for (reaction, attempt) in [(first, 1), (second, 2)] {
        let Action::ScheduleTask(task) = &reaction.actions[0] else { panic!("{reaction:?}") };
        assert_eq!((task.attempt, task.key.as_deref(), task.priority), (attempt, Some("acme"), Priority::High));
    }
}
