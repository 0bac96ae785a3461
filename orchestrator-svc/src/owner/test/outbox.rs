//! What is committed and not yet confirmed.

use std::collections::BTreeSet;

use warren_broker::Published;
use warren_model::{Command, Status};

use super::{
    super::*,
    registry,
    world::{World, json, time},
};

fn is_commit(effect: &Effect) -> bool {
    matches!(effect, Effect::Commit(_))
}

fn is_read(effect: &Effect) -> bool {
    matches!(effect, Effect::ReadTurns { .. })
}

#[test]
fn h4_turns_that_are_being_read_back_are_not_deleted_meanwhile() {
    let mut world = World::new(registry());
    world.start("x", "adder", "0");
    world.settle();
    world.start("r", "relay", "1");
    world.deliver();
    while !matches!(world.effects.front(), Some(Effect::Publish { ticket: Ticket::Commit(_), .. })) {
        assert!(world.act());
    }
    // Of what the first turn sends, the broker gets the work item and not the event; then the owner is gone.
    let Some(Effect::Publish { ticket, mut batch }) = world.effects.pop_front() else { unreachable!() };
    batch.retain(|publication| publication.message.kind.as_deref() == Some("double"));
    world.carry_out(Effect::Publish { ticket, batch });
    world.crash();
    // By the time that the next one reads the turn, its execution is over, and others have committed after it.
    world.deliver();
    for n in 0..4 {
        while world.act_on(|effect| !is_read(effect)) {}
        world.deliver();
        world.send("x", &format!("w{n}"), Command::Suspend { reason: None });
        world.send("x", &format!("v{n}"), Command::Resume { reason: None });
        world.deliver();
    }
    world.settle();
    assert_eq!(world.outcome("x"), &Ok(json("1")));
}

#[test]
fn h19_turns_of_executions_that_are_over_are_deleted_also_after_a_crash_and_by_a_drain() {
    let run = |crash_at: usize, drains: bool| {
        let mut world = World::new(registry());
        world.start("c", "countdown", "4");
        let mut steps = 0;
        world.deliver();
        while world.act() {
            steps += 1;
            if steps == crash_at {
                world.crash();
            }
            world.deliver();
        }
        if drains {
            world.input(Input::Drain);
            world.settle();
            assert!(world.is_drained);
        } else {
            world.wait(1);
            world.wait(1);
        }
        assert_eq!(world.record("c").status, Status::Running);
        let executions: BTreeSet<_> = world.shelf.turns.keys().map(|key| key.execution).collect();
        assert_eq!(executions.len(), 1, "crash at {crash_at}");
        assert!(world.shelf.outbox.is_empty(), "{:?}", world.shelf.outbox);
        steps
    };
    let steps = run(usize::MAX, true);
    for crash_at in 1..=steps {
        run(crash_at, crash_at % 2 == 0);
    }
}

#[test]
fn h6_what_was_returned_is_published_again_although_the_owner_is_never_idle() {
    let mut world = World::new(registry());
    world.start("b", "adder", "0");
    world.settle();
    world.start("a", "twice", "3");
    world.broker_says = [Published::Returned].into();
    world.settle();
    assert_eq!(world.work_items("double"), 1);
    world.second += 1; // long enough, but the thread never sleeps: no tick
    for n in 0..3 {
        world.send("b", &format!("w{n}"), Command::Wait);
        world.settle();
    }
    assert_eq!(world.outcome("a"), &Ok(json("12")));
}

#[test]
fn an_owner_that_waits_for_its_store_sleeps() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "3");
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))) && world.act_on(is_commit));
    // Its messages are confirmed while the next commit is on its way, for long.
    world.start("b", "twice", "3");
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))) && world.effects.iter().any(is_commit));
    while world.act_on(|effect| !is_commit(effect)) {}
    world.second += 2;
    world.input(Input::Tick);
    while world.act_on(|effect| !is_commit(effect)) {}
    assert!(world.owner.wakes_at() > time(world.second), "{} is past", world.owner.wakes_at());
}

#[test]
fn h6_a_row_is_written_again_only_when_something_of_it_was_confirmed() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "3");
    world.broker_says = (0..6).map(|_| Published::Refused("full".into())).collect();
    world.settle();
    let mut rows = 0;
    for n in 0..4 {
        world.second += 10;
        world.input(Input::Tick);
        world.send(
            "a",
            &format!("x{n}"),
            [Command::Suspend { reason: None }, Command::Resume { reason: None }][n % 2].clone(),
        );
        world.deliver();
        while let Some(effect) = world.effects.front() {
            if let Effect::Commit(commit) = effect {
                rows += commit.outbox.len();
            }
            world.act();
        }
    }
    assert_eq!(rows, 0);
}

#[test]
fn h4_messages_are_rebuilt_under_the_limit_that_their_turn_ran_under() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "echo", &format!("\"{}\"", "x".repeat(2_000)));
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))) && world.act_on(is_commit));
    world.settings.limits.payload_bytes = 1_000; // a new owner with a lower limit
    world.crash();
    world.settle();
    assert_eq!(world.work_items("echo"), 1, "its task was scheduled, and nobody has failed it");
}

#[test]
fn h4_a_batch_that_can_t_be_rebuilt_is_not_forgotten() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.deliver();
    assert!(world.act_on(|effect| matches!(effect, Effect::Load(_))) && world.act_on(is_commit));
    let turns = world.shelf.turns.clone();
    world.shelf.turns.values_mut().for_each(|row| row.body = "{".into());
    world.shelf.broken_histories.insert(super::world::id("a"));
    world.crash();
    world.settle();
    world.wait(1);
    assert_eq!(world.shelf.outbox.len(), 1);
    world.shelf.turns = turns;
    world.shelf.broken_histories.clear();
    world.crash();
    world.settle();
    world.wait(1);
    assert_eq!(world.outcome("a"), &Ok(json("12")));
    assert!(world.shelf.outbox.is_empty());
}
