//! What an owner counts is what has happened.

use jiff::SignedDuration;
use warren_broker::Published;
use warren_model::Command;

use super::{
    super::{Counts, Effect},
    registry,
    world::{World, json, start},
};

/// Returns what was counted until nothing is left to do.
fn settle(world: &mut World) -> Counts {
    world.settle();
    world.owner.take_counts().unwrap_or_default()
}

fn tally<K: From<&'static str> + Ord>(of: &[(&'static str, u64)]) -> std::collections::BTreeMap<K, u64> {
    of.iter().map(|(word, count)| ((*word).into(), *count)).collect()
}

#[test]
fn an_instance_counts_from_its_start_to_its_end() {
    let mut world = World::new(registry());
    world.start("a", "twice", "1");
    world.start("b", "twice", "2");
    world.send("c", "s", start("sleeper", "\"no number\""));
    let counts = settle(&mut world);
    assert_eq!(counts.started, [("sleeper".into(), 1), ("twice".into(), 2)].into());
    assert_eq!(counts.ended, [(("sleeper".into(), "Failed"), 1), (("twice".into(), "Completed"), 2)].into());
    assert_eq!(counts.turns, tally(&[("recorded", 7)]), "three of each that doubles twice, one of the other");
    assert_eq!((counts.batches[0], counts.commands), ((3, 3), tally(&[("start", 3)])));
    assert_eq!((counts.cached, counts.read), (4, 3), "replies find their instances in memory");
    assert_eq!((counts.replays, counts.dead, counts.refused), (0, tally(&[]), tally(&[])));
    assert_eq!(world.owner.take_counts(), None, "what was taken is not counted again");
}

#[test]
fn duplicates_refusals_and_dead_messages_are_told_apart() {
    let mut world = World::new(registry());
    let raise = |keep_unseen| Command::Raise { event: "go".into(), input: json("1"), keep_unseen };
    world.start("a", "twice", "1");
    world.settle();
    world.owner.take_counts();
    world.send("a", "r1", raise(true));
    world.send("nobody", "r2", raise(false));
    world.send("a", "s2", start("twice", "1"));
    world.send("b", "r3", raise(true));
    world.send("b", "r3", raise(true));
    let counts = settle(&mut world);
    assert_eq!(counts.commands, tally(&[("raise", 4), ("start", 1)]));
    assert_eq!(counts.refused, tally(&[("exists", 1), ("gone", 1), ("not_found", 1)]));
    assert_eq!(counts.dead, tally(&[("ended", 1)]));
    assert_eq!(counts.repeated, 1);
}

#[test]
fn an_instance_that_is_read_again_counts_as_replayed() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.end_session();
    world.send("a", "r1", Command::Raise { event: "go".into(), input: json("1"), keep_unseen: false });
    let counts = settle(&mut world);
    assert_eq!((counts.replays, counts.replayed_events), (1, 2), "its one turn: that it began, and with what");
}

#[test]
fn parked_instances_are_known_again_after_a_restart_until_they_end() {
    let mut world = World::new(registry());
    world.send("a", "s1", start("later", "1"));
    world.send("b", "s2", start("later", "1"));
    world.settle();
    let parked = |world: &World| world.owner.parked().collect::<Vec<_>>();
    assert_eq!(parked(&world), [("unknown_orchestrator", 2)]);
    world.crash();
    assert_eq!(parked(&world), [], "it has yet to look at them");
    world.settle();
    assert_eq!(parked(&world), [("unknown_orchestrator", 2)]);
    world.send("a", "t", Command::Terminate { reason: None, recursive: false });
    world.settle();
    assert_eq!(parked(&world), [("unknown_orchestrator", 1)]);
}

#[test]
fn a_timer_counts_with_how_late_it_was() {
    let mut world = World::new(registry());
    world.start("a", "sleeper", "10");
    world.settle();
    world.owner.take_counts();
    world.wait(13);
    let counts = world.owner.take_counts().unwrap();
    assert_eq!(counts.timers, [SignedDuration::from_secs(3)]);
}

#[test]
fn what_is_not_confirmed_is_held_and_shown() {
    let mut world = World::new(registry());
    world.start("a", "twice", "1");
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Publish { .. })) {}
    assert_eq!(world.owner.levels().unconfirmed, 1);
    assert_eq!(world.owner.levels().cached, 1);
    world.broker_says.push_back(Published::Returned);
    world.act();
    assert_eq!(world.owner.levels().unconfirmed, 1, "it waits to be published again");
    world.wait(1);
    assert_eq!((world.owner.levels().unconfirmed, world.owner.levels().cached), (0, 0));
}
