//! Duplicates that come at the worst moment.

use warren_broker::ClientReply;
use warren_model::{AnswerWhen, Command, Status};

use super::{
    super::*,
    registry,
    world::{World, json},
};

fn raise(keep_unseen: bool) -> Command {
    Command::Raise { event: "go".into(), input: json("5"), keep_unseen }
}

#[test]
fn h1_a_duplicate_that_is_gathered_before_the_first_is_written_acts_once() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.send("a", "r1", raise(false));
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))));
    // The first is on its way. The duplicate's batch must read something, and meanwhile the first is written.
    world.send("a", "r1", raise(false));
    world.send("nobody", "w", Command::Wait);
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Commit(_))));
    world.settle();
    assert_eq!(world.record("a").status, Status::Running, "one event was raised");
    assert_eq!(world.told("r1").len(), 2, "both were answered");
}

#[test]
fn answers_are_remembered_no_longer_than_their_commit_is_on_its_way() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.send("a", "s", Command::Suspend { reason: None });
    world.settle();
    // The owner is never idle: before a commit is written, there is another.
    let mut most = 0;
    for n in 0..100 {
        world.send("a", &format!("r{n}"), raise(false));
        world.deliver();
        while world.act_on(|effect| matches!(effect, Effect::Load(_))) {}
        if n > 0 {
            assert!(world.act_on(|effect| matches!(effect, Effect::Commit(_))));
        }
        assert!(!world.owner.flights.is_empty());
        most = most.max(world.owner.answered.len());
    }
    assert!(most <= 2 * FLIGHTS_MAX, "{most}");
}

#[test]
fn h10_an_event_for_an_instance_that_nobody_has_seen_is_kept_once_and_its_sender_is_told() {
    let mut world = World::new(registry());
    world.send("a", "r1", raise(true));
    world.send("a", "r1", raise(true));
    world.settle();
    world.crash();
    world.send("a", "r1", raise(true));
    world.settle();
    assert_eq!(world.shelf.pending.len(), 1);
    let told = world.told("r1");
    let is_told = |reply: &&ClientReply| {
        matches!(reply, ClientReply::Answer(answer)
            if answer.status == Status::Pending && answer.warning.as_ref().is_some_and(|w| w.contains("started")))
    };
    assert!(told.len() >= 2 && told.iter().all(is_told), "{told:?}");
    world.start("a", "adder", "0");
    world.settle();
    assert_eq!(world.record("a").status, Status::Running, "one event of two");
}

#[test]
fn h10_who_sends_an_early_event_may_wait_for_the_outcome() {
    let mut world = World::new(registry());
    world.send_when("a", "r1", raise(true), AnswerWhen::Outcome);
    world.settle();
    assert!(world.told("r1").is_empty());
    world.start("a", "adder", "0");
    world.send("a", "r2", raise(true));
    world.settle();
    assert!(matches!(world.told("r1")[..], [ClientReply::Outcome { outcome: Ok(_), .. }]), "{:?}", world.told("r1"));
}

#[test]
fn h10_an_event_and_the_start_of_its_instance_in_one_batch_count_once() {
    let mut world = World::new(registry());
    world.send("a", "r1", raise(true));
    world.start("a", "adder", "0");
    world.settle();
    assert!(world.shelf.pending.is_empty(), "what was handled in the batch that brought it is never written");
    world.crash();
    world.settle();
    assert_eq!(world.record("a").status, Status::Running, "one event of two");
}
