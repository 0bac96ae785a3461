//! Starts whose senders vouch for their ids: they begin without a look, and who was wrong starts nothing twice (H1).

use warren_broker::ClientReply;
use warren_model::{Command, RefusalCode};

use super::{
    super::*,
    registry,
    world::{World, id, json},
};

/// A world whose session is old enough to believe.
fn believing() -> World {
    let mut world = World::new(registry());
    world.wait(world.settings.doubt.as_secs());
    world
}

/// Delivers what waits; returns what the owner wants to read for it.
fn reads(world: &mut World) -> Vec<Load> {
    world.deliver();
    let loads =
        world.effects.iter().filter_map(|effect| if let Effect::Load(load) = effect { Some(load) } else { None });
    loads.cloned().collect()
}

/// Checks what the sender of a start was told last.
fn told(world: &World, message: &str, expected: &str) {
    let told = world.told(message);
    let Some(ClientReply::Outcome { outcome, .. }) = told.last() else { panic!("{message} was told {told:?}") };
    assert_eq!(outcome, &Ok(json(expected)));
}

#[test]
fn a_fresh_start_is_not_looked_for() {
    let mut world = believing();
    world.start_fresh("a", "m-1", "twice", "3");
    world.start("b", "twice", "4");
    let loads = reads(&mut world);
    assert_eq!(loads.len(), 1);
    assert_eq!((&loads[0].instances, loads[0].commands.len()), (&vec![id("b")], 1));
    world.settle();
    world.start_fresh("c", "m-2", "twice", "5");
    assert!(reads(&mut world).is_empty());
    world.settle();
    told(&world, "m-1", "12");
    told(&world, "start-b", "16");
    told(&world, "m-2", "20");
}

#[test]
fn h1_a_start_that_may_have_come_before_is_looked_for_whatever_its_sender_says() {
    // In a young session.
    let mut world = World::new(registry());
    world.start_fresh("a", "m-1", "twice", "3");
    assert_eq!(reads(&mut world).len(), 1);
    world.settle();
    // Delivered again.
    world.wait(world.settings.doubt.as_secs());
    world.start_fresh("b", "m-2", "twice", "3");
    world.queue[0].1 = true;
    assert_eq!(reads(&mut world).len(), 1);
    world.settle();
    // Named by another message of the batch, which must be read for.
    world.start_fresh("c", "m-3", "adder", "3");
    world.send("c", "r-1", Command::Raise { event: "go".into(), input: json("5"), keep_unseen: false });
    let loads = reads(&mut world);
    assert_eq!((&loads[0].instances, loads[0].commands.len()), (&vec![id("c")], 2));
    world.settle();
    told(&world, "m-1", "12");
    told(&world, "m-2", "12");
}

#[test]
fn h1_a_sender_that_vouches_wrongly_starts_nothing_twice() {
    let mut world = believing();
    world.start("a", "twice", "3");
    world.settle();
    // Another start of the same id, with a lie; and an honest one beside it.
    world.start_fresh("a", "m-1", "twice", "7");
    world.start_fresh("b", "m-2", "twice", "4");
    assert!(reads(&mut world).is_empty());
    world.settle();
    let [ClientReply::Refused(refusal)] = &world.told("m-1")[..] else { panic!("{:?}", world.told("m-1")) };
    assert_eq!(refusal.code, RefusalCode::Exists);
    told(&world, "start-a", "12");
    told(&world, "m-2", "16");
    // The session that follows believes nobody for an hour.
    world.wait(world.settings.doubt.as_secs());
    world.start_fresh("c", "m-3", "twice", "5");
    assert_eq!(reads(&mut world).len(), 1);
    world.settle();
    // The same message once more, as if it were the first time: it is answered again.
    world.wait(world.settings.distrust.as_secs());
    world.start_fresh("b", "m-2", "twice", "4");
    assert!(reads(&mut world).is_empty());
    world.settle();
    assert_eq!(world.told("m-2").len(), 2);
    told(&world, "m-2", "16");
}

#[test]
fn h10_what_came_before_a_fresh_start_is_not_lost() {
    let mut world = believing();
    world.send("a", "r-1", Command::Raise { event: "go".into(), input: json("5"), keep_unseen: true });
    world.settle();
    world.wait(1); // what nobody waits for is not kept in memory
    world.start_fresh("a", "m-1", "adder", "3");
    world.settle();
    world.send("a", "r-2", Command::Raise { event: "go".into(), input: json("6"), keep_unseen: false });
    world.settle();
    assert!(world.record("a").status.is_terminal(), "{:?}", world.record("a"));
}
