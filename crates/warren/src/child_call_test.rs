use warren_engine::Reaction;
use warren_model::{Action, ActionId, Event, SubOrchestrationCreated, child_id};

use super::*;
use crate::{
    seconds,
    testing::{Driver, EXECUTION, asked, busy, failure, fired, json, result},
};

const SHIP: Orchestrator<u32, u32> = Orchestrator::new("ship");

#[track_caller]
fn child(reaction: &Reaction) -> SubOrchestrationCreated {
    match &reaction.actions[..] {
        [Action::StartChild(child)] => child.clone(),
        other => panic!("not one child: {other:?}"),
    }
}

fn child_failed(id: u32) -> Event {
    Event::SubOrchestrationInstanceFailed { id: ActionId(id), failure: busy() }
}

#[test]
fn a_child_gives_its_result() {
    let (mut driver, first) = Driver::begin(|ctx: Context, ()| async move { ctx.orchestrator(SHIP).call(7).await }, ());
    let expected = SubOrchestrationCreated {
        id: ActionId(1),
        instance: child_id(EXECUTION, ActionId(1)),
        name: "ship".into(),
        version: None,
        input: json(7),
        attempt: 1,
        close: ClosePolicy::Terminate,
    };
    assert_eq!(child(&first), expected);
    let completed = Event::SubOrchestrationInstanceCompleted { id: ActionId(1), result: json(70) };
    assert_eq!(result::<u32>(&driver.turn([completed])), 70);
}

#[test]
fn the_options_are_those_of_the_call() {
    let (_, first) = Driver::begin(
        |ctx: Context, ()| async move {
            let call = ctx.orchestrator(SHIP.version("1")).version("2").id("parcel-7").on_close(ClosePolicy::Abandon);
            call.call(7).await
        },
        (),
    );
    let child = child(&first);
    assert_eq!((child.instance.as_str(), child.version.as_deref()), ("parcel-7", Some("2")));
    assert_eq!(child.close, ClosePolicy::Abandon);
}

#[test]
fn attempts_share_the_id_of_the_first() {
    let (mut driver, first) = Driver::begin(
        |ctx: Context, ()| async move {
            let policy = RetryPolicy::times(2).first_delay(seconds(1)).jitter(0.0);
            ctx.orchestrator(SHIP).retry(policy).call(7).await
        },
        (),
    );
    assert_eq!(asked(&driver.turn([child_failed(1)])), ["timer 2 +2s"]);
    let second = child(&driver.turn([fired(2)]));
    assert_eq!((second.id, second.attempt, &second.instance), (ActionId(3), 2, &child(&first).instance));
    assert_eq!(failure(&driver.turn([child_failed(3)])), busy());
}

#[test]
fn an_own_predicate_decides() {
    let never = |ctx: Context, ()| async move { ctx.orchestrator(SHIP).retry_if(|_| false).call(7).await };
    let (mut driver, _) = Driver::begin(never, ());
    assert_eq!(failure(&driver.turn([child_failed(1)])), busy());
}

#[test]
fn an_id_or_a_name_that_is_none_asks_for_nothing() {
    for (id, flaw) in [
        ("", "instance id is empty"),
        ("@cart", "instance id begins with `@`, which is reserved for entities"),
        ("ä", "instance id has 'ä' at byte 0, only printable ASCII is allowed"),
    ] {
        let start = move |ctx: Context, ()| async move { ctx.orchestrator(SHIP).id(id).call(7).await };
        let (_, end) = Driver::begin(start, ());
        assert_eq!(asked(&end), Vec::<String>::new());
        let message = format!("orchestrator `ship` can't be started: {flaw}");
        assert_eq!(failure(&end), Failure::permanent("invalid_input", message));
    }
    let nameless = |ctx: Context, ()| async move { ctx.orchestrator(Orchestrator::<u32, u32>::new("")).call(7).await };
    let (_, end) = Driver::begin(nameless, ());
    assert_eq!((asked(&end), failure(&end).code.as_str()), (vec![], "invalid_input"));
}
