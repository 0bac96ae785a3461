use std::{cell::RefCell, future::pending, thread, time::Duration};

use serde::Deserialize;

use super::*;
use crate::{
    Activity, Raced, join, race, seconds,
    testing::{Driver, asked, busy, done, failed, failure, fired, identity, json, raised, result, started},
};

const A: Activity<u32, u32> = Activity::new("a");
const B: Activity<u32, u32> = Activity::new("b");

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}
#[derive(Deserialize)]
struct Item {
    quantity: u32,
}

#[test]
fn an_orchestration_goes_from_turn_to_turn_to_its_result() {
    let (mut driver, first) = Driver::begin(
        |ctx: Context, n: u32| async move {
            let doubled = ctx.call(A, n).await?;
            ctx.timer(seconds(10)).await;
            Ok::<_, Failure>(doubled + 1)
        },
        1,
    );
    assert_eq!((asked(&first), first.progress), (vec!["task 1 a".into()], Progress::Waiting));
    assert_eq!(asked(&driver.turn([done(1, 2)])), ["timer 2 +11s"]);
    let last = driver.turn([fired(2)]);
    assert_eq!((asked(&last).len(), result::<u32>(&last)), (0, 3));
}

#[test]
fn an_input_of_the_wrong_shape_is_a_failure_that_names_the_field() {
    async fn total(_: Context, order: Order) -> Result<u32, Failure> {
        Ok(order.items.iter().map(|item| item.quantity).sum())
    }
    let (_, good) = Driver::begin(total, serde_json::json!({"items": [{"quantity": 2}]}));
    assert_eq!(result::<u32>(&good), 2);
    let (_, bad) = Driver::begin(total, serde_json::json!({"items": [{"quantity": "two"}]}));
    let message = r#"items[0].quantity: invalid type: string "two", expected u32"#;
    let failure =
        Failure::permanent("invalid_input", message).with_details(&serde_json::json!({"field": "items[0].quantity"}));
    assert_eq!(bad.progress, Progress::Ended(Err(failure)));
}

#[test]
fn a_result_of_the_wrong_shape_is_a_failure_that_names_the_field() {
    const ORDER: Activity<(), Order> = Activity::new("order");
    let (mut driver, _) =
        Driver::begin(|ctx: Context, ()| async move { ctx.call(ORDER, ()).await.map(|order| order.items.len()) }, ());
    let end = driver.turn([done(1, serde_json::json!({"items": [{}]}))]);
    assert_eq!(
        failure(&end),
        Failure::permanent("invalid_result", "items[0]: missing field `quantity`")
            .with_details(&serde_json::json!({"field": "items[0].quantity"}))
    );
}

#[test]
fn any_error_becomes_a_failure() {
    let (_, end) = Driver::begin(|_: Context, text: String| async move { text.parse::<u32>() }, "x");
    assert_eq!(failure(&end), Failure::new("error", "invalid digit found in string"));
}

#[test]
fn the_order_of_history_decides_a_race_even_within_one_turn() {
    let first_of = |ctx: Context, ()| async move {
        Ok::<_, Failure>(match race(ctx.call(A, 1), ctx.call(B, 2)).await {
            Raced::First(_) => "a",
            Raced::Second(_) => "b",
        })
    };
    let (mut driver, _) = Driver::begin(first_of, ());
    assert_eq!(result::<String>(&driver.turn([done(1, 0), done(2, 0)])), "a");
    let (mut driver, _) = Driver::begin(first_of, ());
    assert_eq!(result::<String>(&driver.turn([done(2, 0), done(1, 0)])), "b");
}

#[test]
fn a_result_that_nobody_waits_for_yet_is_kept() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let (early, late) = (ctx.call(A, 1), ctx.call(B, 2));
            let late = late.await?;
            Ok::<_, Failure>(early.await? + late)
        },
        (),
    );
    assert_eq!(driver.turn([done(1, 10)]).progress, Progress::Waiting);
    assert_eq!(result::<u32>(&driver.turn([done(2, 20)])), 30);
}

#[test]
fn a_result_whose_future_is_gone_is_nobodys() {
    let (mut driver, first) = Driver::begin(
        |ctx: Context, ()| async move {
            drop(ctx.call(A, 1));
            ctx.call(B, 2).await
        },
        (),
    );
    assert_eq!(asked(&first), ["task 1 a", "task 2 b"]);
    assert_eq!(driver.turn([done(1, 10)]).progress, Progress::Waiting);
    assert_eq!(result::<u32>(&driver.turn([done(2, 20)])), 20);
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let (mut driver, _) = Driver::begin(|ctx: Context, ()| async move { ctx.call(A, 1).await }, ());
    let end = driver.turn([done(1, 10), raised("late", 1), done(1, 11)]);
    assert_eq!(result::<u32>(&end), 10);
}

#[test]
fn a_panic_is_reported_and_asks_for_nothing() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, n: u32| async move {
            let got = ctx.call(A, n).await?;
            let _timer = ctx.timer(seconds(9));
            assert!(got > n, "{got} is not above {n}");
            ctx.call(B, got).await
        },
        5,
    );
    let end = driver.turn([done(1, 4)]);
    assert_eq!(end, Reaction { actions: vec![], progress: Progress::Panicked { message: "4 is not above 5".into() } });
    assert_eq!(driver.turn([raised("late", 1)]), end);
}

#[test]
fn a_sleep_of_tokio_is_reported_with_a_remedy() {
    let (_, end) = Driver::begin(
        |_: Context, ()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, Failure>(())
        },
        (),
    );
    let Progress::Panicked { message } = end.progress else { panic!("{end:?}") };
    assert!(message.contains("there is no reactor running"), "{message}");
    assert!(message.contains("use ctx.timer instead of a sleep"), "{message}");
}

#[test]
fn a_wait_for_nothing_durable_is_reported_as_stuck() {
    let (_, end) = Driver::begin(
        |ctx: Context, ()| async move {
            let _asked_for_but_not_awaited = ctx.call(A, 1);
            pending::<Result<(), Failure>>().await
        },
        (),
    );
    assert_eq!(asked(&end), ["task 1 a"]);
    let Progress::Stuck { message } = end.progress else { panic!("{end:?}") };
    assert!(message.starts_with("orchestrator `checkout` waits for nothing that could ever wake it"), "{message}");
}

#[test]
fn something_durable_beside_it_is_enough_to_wait() {
    let both = |ctx: Context, ()| async move {
        race(pending::<()>(), ctx.timer(seconds(1))).await;
        join(pending::<()>(), ctx.call(A, 1)).await.1
    };
    let (mut driver, first) = Driver::begin(both, ());
    assert_eq!(first.progress, Progress::Waiting);
    assert_eq!(driver.turn([fired(1)]).progress, Progress::Waiting);
    assert!(matches!(driver.turn([failed(2, busy())]).progress, Progress::Stuck { .. }));
}

#[test]
fn a_future_that_wakes_itself_is_polled_until_it_rests() {
    async fn yielded() {
        let mut has_yielded = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    let (_, end) = Driver::begin(
        |_: Context, ()| async {
            for _ in 0..10 {
                yielded().await;
            }
            Ok::<_, Failure>("rested")
        },
        (),
    );
    assert_eq!(result::<String>(&end), "rested");
}

thread_local! {
    /// The context of the orchestration that a test drops.
    static KEPT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Asks for things in its destructor, then panics there.
struct Rude(Context);

impl Drop for Rude {
    fn drop(&mut self) {
        drop(self.0.call(A, 1));
        self.0.set_custom_status("dropped").unwrap();
        if !thread::panicking() {
            panic!("in a destructor");
        }
    }
}

async fn rude(ctx: Context, (): ()) -> Result<(), Failure> {
    KEPT.set(Some(ctx.clone()));
    let _rude = Rude(ctx.clone());
    ctx.timer(seconds(1)).await;
    Ok(())
}

#[test]
fn a_dropped_program_asks_for_nothing_and_its_destructors_may_panic() {
    let mut run = Run::new(identity(), erase(rude));
    let reaction = run.react(&[started(&())], false);
    assert_eq!(reaction.actions.len(), 1);
    drop(run);
    let ctx = KEPT.take().unwrap();
    assert_eq!(ctx.state().take_actions(), [], "neither the timer's nor the destructor's");
}

#[test]
fn a_destructor_that_panics_in_the_code_itself_is_a_panic_of_the_code() {
    let mut run = Run::new(identity(), erase(rude));
    run.react(&[started(&())], false);
    let reaction = run.react(&[fired(1)], false);
    assert_eq!(reaction.progress, Progress::Panicked { message: "in a destructor".into() });
    assert_eq!(reaction.actions, []);
    KEPT.take();
}

#[test]
fn a_program_without_a_start_waits() {
    let mut run = Run::new(identity(), erase(rude));
    assert_eq!(run.react(&[raised("early", json(1))], false).progress, Progress::Waiting);
}
