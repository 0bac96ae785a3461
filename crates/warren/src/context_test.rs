use std::collections::{BTreeMap, BTreeSet};

use warren_engine::Progress;
use warren_model::EventRaised;

use super::*;
use crate::{
    Activity,
    testing::{Driver, EXECUTION, asked, at, done, failure, json, raised, result},
};

const A: Activity<u32, u32> = Activity::new("a");
const NOTE: Event<u32> = Event::new("note");

#[test]
fn actions_are_asked_for_at_once_and_numbered_in_the_order_of_the_source() {
    let (_, first) = Driver::begin(
        |ctx: Context, ()| async move {
            let a = ctx.call(A, 1);
            let timer = ctx.timer(Duration::from_secs(5));
            ctx.send_event("other", NOTE, 7)?;
            let b = ctx.call(A, 2);
            b.await?;
            timer.await;
            a.await
        },
        (),
    );
    assert_eq!(asked(&first), ["task 1 a", "timer 2 +5s", "event 3 note to other", "task 4 a"]);
}

#[test]
fn what_is_no_json_asks_for_nothing() {
    const MAP: Activity<BTreeMap<Vec<u8>, u8>, ()> = Activity::new("map");
    let (_, end) = Driver::begin(
        |ctx: Context, ()| async move {
            let flawed = ctx.call(MAP, BTreeMap::from([(vec![1], 1)]));
            let _sound = ctx.call(A, 1);
            flawed.await
        },
        (),
    );
    assert_eq!(asked(&end), ["task 1 a"]);
    let message = "activity `map` can't be called: not writable as json: key must be a string";
    assert_eq!(failure(&end), Failure::permanent("invalid_input", message));
}

#[test]
fn an_event_to_no_instance_is_refused() {
    let (_, end) = Driver::begin(|ctx: Context, ()| async move { ctx.send_event("@cart", NOTE, 7) }, ());
    assert_eq!(failure(&end).message, "instance id begins with `@`, which is reserved for entities");
    let (_, end) = Driver::begin(|ctx: Context, ()| async move { ctx.send_event("other", Event::new(""), 7) }, ());
    assert_eq!((asked(&end), failure(&end).message), (vec![], "event name is empty".into()));
}

#[test]
fn the_context_knows_whose_it_is() {
    let (_, end) = Driver::begin(
        |ctx: Context, ()| async move {
            assert_eq!((ctx.instance().as_str(), ctx.execution(), ctx.version()), ("order-7", EXECUTION, Some("2")));
            Ok::<_, Failure>(ctx.now())
        },
        (),
    );
    assert_eq!(result::<Timestamp>(&end), at(0));
}

#[test]
fn time_is_that_of_the_turn() {
    let (mut driver, _) = Driver::begin(
        |ctx: Context, ()| async move {
            let before = ctx.now();
            ctx.call(A, 1).await?;
            Ok::<_, Failure>((before, ctx.now()))
        },
        (),
    );
    assert_eq!(result::<(Timestamp, Timestamp)>(&driver.turn([done(1, 1)])), (at(0), at(1)));
}

#[test]
fn chance_is_the_same_in_every_replay_and_never_the_same_twice() {
    // The driver replays after each turn and compares the results.
    let (_, end) = Driver::begin(
        |ctx: Context, ()| async move {
            assert!((1..=6).contains(&ctx.random_in(1..=6)));
            assert!((0.0..1.0).contains(&ctx.random_fraction()));
            Ok::<_, Failure>((ctx.uuid(), ctx.uuid(), ctx.random(), ctx.random()))
        },
        (),
    );
    let (a, b, x, y) = result::<(String, String, u64, u64)>(&end);
    assert_eq!(BTreeSet::from([a, b, x.to_string(), y.to_string()]).len(), 4);
}

#[test]
fn a_custom_status_over_its_limit_is_refused_and_the_one_before_stays() {
    let (_, end) = Driver::begin(
        |ctx: Context, ()| async move {
            ctx.set_custom_status(&"x".repeat(CUSTOM_STATUS_BYTES_MAX - 2))?;
            ctx.set_custom_status(&"x".repeat(CUSTOM_STATUS_BYTES_MAX - 1))
        },
        (),
    );
    assert_eq!(asked(&end).len(), 1);
    let message = "custom status has 16385 bytes, at most 16384 are allowed";
    assert_eq!(failure(&end), Failure::permanent("payload_too_large", message));
}

async fn counter(ctx: Context, count: u32) -> Result<u32, Failure> {
    let note = ctx.event(NOTE).await?;
    if note == 0 {
        return Ok(count);
    }
    ctx.continue_as_new(count + note)
}

#[test]
fn continue_as_new_carries_what_nobody_consumed_in_the_order_of_arrival() {
    // H10
    let (mut driver, _) = Driver::begin(counter, 40);
    let end = driver.turn([raised("z", 1), raised("note", 2), raised("note", 0), raised("a", 3), raised("note", 5)]);
    let event = |name: &str, input: u32| EventRaised { name: name.into(), input: json(input) };
    let carried = vec![event("z", 1), event("note", 0), event("a", 3), event("note", 5)];
    assert_eq!(end.progress, Progress::ContinuedAsNew { input: json(42), carried });
}

#[test]
fn continue_as_new_with_what_is_no_json_fails() {
    let again = |ctx: Context, ()| async move { ctx.continue_as_new::<_, ()>(BTreeMap::from([(vec![1], 1)])) };
    let (_, end) = Driver::begin(again, ());
    assert_eq!(failure(&end).code, "invalid_input");
}

#[test]
fn a_turn_knows_whether_it_is_a_replay() {
    use crate::{
        program::{Run, erase},
        testing::{identity, started},
    };
    use warren_engine::Program;
    for replaying in [false, true] {
        let code = |ctx: Context, ()| async move { Ok::<_, Failure>(ctx.is_replaying()) };
        let end = Run::new(identity(), erase(code)).react(&[started(&())], replaying);
        assert_eq!(result::<bool>(&end), replaying);
    }
}
