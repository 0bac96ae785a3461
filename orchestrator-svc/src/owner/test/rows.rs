//! An instance's row is written when more of it changes than how far the instance has come.

use warren::{Context, Failure, Orchestrator};
use warren_model::{Command, Payload, Status};

use super::{
    DOUBLE, registry,
    world::{World, id, json},
};

/// How many turns are stored, how many the row counts, and how often it was written.
fn rows(world: &World, instance: &str) -> (usize, u32, usize) {
    let turns = world.shelf.turns.keys().filter(|key| key.instance == id(instance)).count();
    (turns, world.record(instance).turn, world.shelf.written[&id(instance)])
}

fn raise(number: i64) -> Command {
    Command::Raise { event: "go".into(), input: json(&number.to_string()), keep_unseen: false }
}

#[test]
fn a_chain_writes_its_row_at_its_beginning_and_at_its_end() {
    let mut world = World::new(registry());
    world.start("a", "twice", "1");
    world.settle();
    assert_eq!((rows(&world, "a"), world.record("a").status), ((3, 3, 2), Status::Completed));
}

#[test]
fn h12_what_changes_besides_is_written_with_the_turn_that_changes_it() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    assert_eq!(rows(&world, "a"), (1, 1, 1));
    world.send("a", "suspend", Command::Suspend { reason: None });
    world.settle();
    assert_eq!((rows(&world, "a"), world.record("a").status), ((2, 2, 2), Status::Suspended));
    world.send("a", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!((rows(&world, "a"), world.record("a").status), ((3, 3, 3), Status::Running));
    world.send("a", "r1", raise(1));
    world.settle();
    assert_eq!(rows(&world, "a"), (4, 4, 3), "an event changes nothing else");
    let (events, bytes) = (world.record("a").history_events, world.record("a").history_bytes);
    // An owner that reads it again goes on from there.
    world.crash();
    world.send("a", "r2", raise(2));
    world.settle();
    assert_eq!((rows(&world, "a"), world.outcome("a")), ((5, 5, 4), &Ok(json("3"))));
    assert!(world.record("a").history_events > events && world.record("a").history_bytes > bytes);
}

#[test]
fn a_custom_status_is_written_when_it_changes_and_not_again() {
    async fn telling(ctx: Context, n: i64) -> Result<i64, Failure> {
        ctx.set_custom_status("works")?;
        let n = ctx.call(DOUBLE, n).await?;
        ctx.set_custom_status("works")?;
        let n = ctx.call(DOUBLE, n).await?;
        ctx.set_custom_status("rests")?;
        let n = ctx.call(DOUBLE, n).await?;
        ctx.call(DOUBLE, n).await
    }
    let mut world = World::new(registry().orchestrator(Orchestrator::new("telling"), telling));
    world.start("a", "telling", "1");
    world.settle();
    assert_eq!(rows(&world, "a"), (5, 5, 3));
    assert_eq!(world.record("a").custom_status.as_ref().map(Payload::as_str), Some("\"rests\""));
}
