//! Replies that come too late: after a termination, or of an attempt that a later one has overtaken (H8).

use jiff::SignedDuration;
use warren::{Context, Failure, Orchestrator, RetryPolicy, seconds};
use warren_broker::{Delivery, Publication, codec::reply, decode_work_item};
use warren_model::{Command, Event, Outcome, Payload, Status};

use super::{
    DOUBLE, registry,
    world::{World, id, json},
};

/// Tries twice.
async fn stubborn(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.activity(DOUBLE).retry(RetryPolicy::times(2).first_delay(seconds(1))).call(n).await?;
    ctx.call(DOUBLE, n).await
}

fn items(world: &World) -> Vec<Publication> {
    world.published.iter().filter(|p| p.message.kind.as_deref() == Some("double")).cloned().collect()
}

fn answer(world: &mut World, item: &Publication, outcome: &Outcome) {
    let delivery =
        Delivery { tag: 1, redelivered: false, routing_key: "t.work.double".into(), message: item.message.clone() };
    let message = reply(&decode_work_item(&delivery).unwrap(), outcome, "w").message;
    world.queue.push_back((message, false));
    world.settle();
}

fn good(n: i64) -> Outcome {
    Ok(Payload::of(&n).unwrap())
}

#[test]
fn h8_a_late_reply_of_an_attempt_that_a_later_one_has_overtaken_does_not_count() {
    let mut world = World::new(registry().orchestrator(Orchestrator::new("stubborn"), stubborn));
    world.has_workers = false;
    world.start("s", "stubborn", "4");
    world.settle();
    let first = items(&world)[0].clone();
    answer(&mut world, &first, &Err(Failure::new("unsteady", "try again")));
    (0..3).for_each(|_| world.wait(SignedDuration::from_secs(1).as_secs()));
    let second = items(&world)[1].clone();
    assert_ne!(first.message.correlation_id, second.message.correlation_id);
    // The first attempt runs a second time, elsewhere, and succeeds: before the second has ended, and after.
    answer(&mut world, &first, &good(1_000));
    assert_eq!(world.record("s").status, Status::Running);
    answer(&mut world, &second, &good(8));
    answer(&mut world, &first, &good(2_000));
    answer(&mut world, &second, &good(3_000));
    let third = items(&world)[2].clone();
    answer(&mut world, &third, &good(16));
    assert_eq!(world.outcome("s"), &Ok(json("16")));
    let history = world.shelf.history(world.record("s"));
    let results: Vec<_> = history.iter().flat_map(|turn| &turn.events).filter_map(result).collect();
    assert_eq!(results, [json("8"), json("16")]);
}

fn result(event: &Event) -> Option<Payload> {
    if let Event::TaskCompleted { result, .. } = event { Some(result.clone()) } else { None }
}

#[test]
fn h8_a_reply_that_arrives_after_the_termination_changes_nothing() {
    for crashes in [false, true] {
        let mut world = World::new(registry());
        world.has_workers = false;
        world.start("t", "twice", "4");
        world.settle();
        let item = items(&world)[0].clone();
        world.send("t", "end", Command::Terminate { reason: Some("enough".into()), recursive: true });
        world.settle();
        world.wait(1);
        if crashes {
            world.crash();
        }
        let (record, turns) = (world.record("t").clone(), world.shelf.turns.clone());
        answer(&mut world, &item, &good(8));
        assert_eq!((world.record("t"), &world.shelf.turns), (&record, &turns));
        assert_eq!(world.outcome("t").as_ref().unwrap_err().message, "enough");
        assert!(world.unacked.is_empty() && world.shelf.pending.is_empty() && world.shelf.outbox.is_empty());
        assert!(world.shelf.instances.contains_key(&id("t")));
    }
}
