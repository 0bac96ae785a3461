//! Instances that are purged or replaced: nothing of them comes back (H12, H14).

use warren_broker::{ClientReply, Published};
use warren_model::{AnswerWhen, Command, IfExists, RefusalCode, Status};

use super::{
    super::*,
    registry,
    world::{World, json, start},
};

const PURGE: Command = Command::Purge { execution: None };

fn again(name: &str, input: &str, if_exists: IfExists) -> Command {
    let Command::Start(request) = start(name, input) else { unreachable!() };
    Command::Start(warren_model::StartRequest { if_exists, ..request })
}

/// A world in which `a` has ended.
fn ended() -> World {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));
    world
}

fn is_refused(reply: &ClientReply, code: RefusalCode) -> bool {
    matches!(reply, ClientReply::Refused(refusal) if refusal.code == code)
}

/// Nothing is left but what is remembered for duplicates.
fn assert_empty(world: &World) {
    let shelf = &world.shelf;
    assert!(shelf.instances.is_empty() && shelf.turns.is_empty() && shelf.timers.is_empty(), "{shelf:?}");
    assert!(shelf.pending.is_empty() && shelf.outbox.is_empty() && shelf.aside.is_empty(), "{shelf:?}");
}

#[test]
fn h12_a_purged_instance_leaves_nothing_and_the_same_start_begins_nothing() {
    for crashes in [false, true] {
        let mut world = ended();
        world.send("a", "p", PURGE);
        world.settle();
        assert!(matches!(world.told("p")[..], [ClientReply::Answer(a)] if a.status == Status::Completed));
        world.wait(1);
        assert_empty(&world);
        if crashes {
            world.crash();
        }
        let before = world.told("start-a").len();
        world.start("a", "twice", "3");
        world.send("a", "p", PURGE);
        world.send("a", "p2", PURGE);
        world.settle();
        let told = world.told("start-a");
        assert!(is_refused(told[before], RefusalCode::Gone), "{told:?}");
        assert!(matches!(world.told("p")[..], [first, second] if first == second), "the first answer again");
        assert!(is_refused(world.told("p2")[0], RefusalCode::NotFound));
        assert_empty(&world);
        // Another start is another instance.
        world.send_when("a", "other", start("twice", "5"), AnswerWhen::Outcome);
        world.settle();
        assert!(
            matches!(world.told("other")[..], [ClientReply::Outcome { outcome, .. }] if *outcome == Ok(json("20")))
        );
    }
}

#[test]
fn h12_a_purge_and_starts_of_all_kinds_in_one_batch() {
    let mut world = ended();
    world.send("a", "p", PURGE);
    world.start("a", "twice", "3");
    world.send_when("a", "new", start("twice", "5"), AnswerWhen::Outcome);
    world.start("a", "twice", "3");
    world.deliver();
    world.settle();
    assert!(world.told("start-a")[1..].iter().all(|reply| is_refused(reply, RefusalCode::Gone)));
    assert!(matches!(world.told("new")[..], [ClientReply::Outcome { outcome, .. }] if *outcome == Ok(json("20"))));
    world.wait(1);
    world.crash();
    world.settle();
    assert_eq!(world.record("a").start_id.as_str(), "new");
    assert!(world.shelf.turns.keys().all(|key| key.execution == world.record("a").execution));
}

#[test]
fn h12_an_instance_that_runs_or_another_execution_is_not_purged() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.send("a", "p", PURGE);
    world.settle();
    let told = world.told("p");
    let [ClientReply::Refused(refusal)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(refusal.code, RefusalCode::Running);
    assert_eq!(refusal.message, "instance a is Running: terminate it first, then purge it");
    world.send("a", "t", Command::Terminate { reason: None, recursive: true });
    world.settle();
    let other = warren_model::ExecutionId::from_u128(7);
    world.send("a", "p2", Command::Purge { execution: Some(other) });
    world.settle();
    assert!(is_refused(world.told("p2")[0], RefusalCode::NotFound));
    world.send("a", "p3", Command::Purge { execution: Some(world.record("a").execution) });
    world.settle();
    world.wait(1);
    assert_empty(&world);
}

#[test]
fn h12_a_purge_waits_with_the_turns_until_their_messages_are_confirmed_whenever_the_owner_crashes() {
    let run = |crash_at: usize| {
        let mut world = World::new(registry());
        world.start("a", "twice", "3");
        world.broker_says = [Published::Confirmed, Published::Confirmed].into();
        while world.shelf.instances.values().all(|record| record.status != Status::Completed) {
            world.deliver();
            assert!(world.act());
        }
        // Nobody has the outcome yet, and for a while nobody gets it.
        world.broker_says = std::iter::repeat_n(Published::Refused("full".into()), 3).collect();
        world.send("a", "p", PURGE);
        world.deliver();
        let mut steps = 0;
        for _ in 0..8 {
            while world.act() {
                steps += 1;
                if steps == crash_at {
                    world.crash();
                }
                world.deliver();
            }
            world.second += 1;
            world.input(Input::Tick);
        }
        assert_eq!(world.outcome("a"), &Ok(json("12")), "crash at {crash_at}");
        assert_empty(&world);
        steps
    };
    let steps = run(usize::MAX);
    assert!(steps > 8, "{steps}");
    for crash_at in 1..=steps {
        run(crash_at);
    }
}

#[test]
fn h12_late_replies_and_events_and_ends_of_children_bring_nothing_back() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "3");
    world.start("p", "patient", "1");
    world.settle();
    let item = world.published.iter().find(|p| p.message.kind.as_deref() == Some("double")).unwrap().clone();
    for name in ["a", "p"] {
        world.send(name, &format!("t{name}"), Command::Terminate { reason: None, recursive: false });
        world.send(name, &format!("p{name}"), PURGE);
        world.settle();
        world.send(name, &format!("q{name}"), PURGE);
    }
    world.settle();
    world.has_workers = true;
    world.hand_over(&item);
    for n in 0..2 {
        let raise = Command::Raise { event: "go".into(), input: json("1"), keep_unseen: false };
        world.send("alone-1", &format!("r{n}"), raise);
    }
    world.send("a", "late", Command::Raise { event: "go".into(), input: json("1"), keep_unseen: false });
    world.settle();
    world.wait(1);
    assert_eq!(world.record("alone-1").status, Status::Completed, "its end was word to a parent that is gone");
    assert!(is_refused(world.told("late")[0], RefusalCode::NotFound));
    assert!(!world.shelf.instances.keys().any(|id| ["a", "p"].contains(&id.as_str())));
    assert_eq!(world.shelf.received, world.shelf.sent);
    assert!(world.shelf.pending.is_empty() && world.shelf.outbox.is_empty());
}

#[test]
fn h14_an_id_that_is_in_use_is_refused_replaced_or_used_as_the_start_says() {
    let mut world = ended();
    world.start("b", "adder", "0");
    world.settle();
    for (instance, message, choice) in
        [("a", "a-fail", IfExists::Fail), ("b", "b-fail", IfExists::Fail), ("b", "b-replace", IfExists::ReplaceEnded)]
    {
        world.send_when(instance, message, again("twice", "5", choice), AnswerWhen::Outcome);
        world.settle();
        assert!(is_refused(world.told(message)[0], RefusalCode::Exists), "{message}");
    }
    let outcome = |world: &World, message: &str| match world.told(message)[..] {
        [ClientReply::Outcome { outcome, .. }] => outcome.clone(),
        ref told => panic!("{message} was told {told:?}"),
    };
    world.send_when("a", "a-use", again("twice", "5", IfExists::UseExisting), AnswerWhen::Outcome);
    world.send_when("b", "b-use", again("twice", "5", IfExists::UseExisting), AnswerWhen::Outcome);
    world.send_when("a", "a-replace", again("twice", "5", IfExists::ReplaceEnded), AnswerWhen::Outcome);
    world.settle();
    assert_eq!((outcome(&world, "a-use"), outcome(&world, "a-replace")), (Ok(json("12")), Ok(json("20"))));
    assert!(world.told("b-use").is_empty(), "it is told when that instance has ended");
    for n in 0..2 {
        let raise = Command::Raise { event: "go".into(), input: json("4"), keep_unseen: false };
        world.send("b", &format!("r{n}"), raise);
    }
    world.settle();
    assert_eq!(outcome(&world, "b-use"), Ok(json("8")));
    assert_eq!(world.work_items("double"), 4);
}

#[test]
fn h14_a_start_that_was_replaced_is_not_carried_out_again() {
    let mut world = World::new(registry());
    let replace = || again("twice", "3", IfExists::ReplaceEnded);
    world.send_when("a", "m1", replace(), AnswerWhen::Outcome);
    world.settle();
    world.send_when("a", "m2", replace(), AnswerWhen::Outcome);
    world.settle();
    world.wait(1);
    world.crash();
    // Both come again, as the broker likes.
    world.send_when("a", "m1", replace(), AnswerWhen::Outcome);
    world.send_when("a", "m2", replace(), AnswerWhen::Outcome);
    world.settle();
    assert!(is_refused(world.told("m1")[1], RefusalCode::Gone));
    assert_eq!(world.told("m2")[0], world.told("m2")[1]);
    assert_eq!((world.record("a").start_id.as_str(), world.work_items("double")), ("m2", 4));
}

#[test]
fn h12_replies_and_children_of_a_replaced_execution_do_not_count_for_the_next() {
    let mut world = World::new(registry());
    world.has_workers = false;
    let replace = |name: &str| again(name, "3", IfExists::ReplaceEnded);
    world.send_when("a", "m1", replace("twice"), AnswerWhen::Outcome);
    world.send_when("p", "n1", replace("parent"), AnswerWhen::Outcome);
    world.settle();
    let late: Vec<_> =
        world.published.iter().filter(|p| p.message.kind.as_deref() == Some("double")).cloned().collect();
    assert_eq!(late.len(), 2, "one is the child's");
    for name in ["a", "p"] {
        world.send(name, &format!("t{name}"), Command::Terminate { reason: None, recursive: true });
    }
    world.settle();
    world.send_when("a", "m2", replace("twice"), AnswerWhen::Outcome);
    world.send_when("p", "n2", replace("parent"), AnswerWhen::Outcome);
    world.settle();
    world.has_workers = true;
    late.iter().for_each(|item| world.hand_over(item));
    world.settle();
    assert!(world.told("m2").is_empty() && world.told("n2").is_empty(), "they still wait for their own");
    let own: Vec<_> = world.published.iter().filter(|p| p.message.kind.as_deref() == Some("double")).cloned().collect();
    own[2..4].iter().for_each(|item| world.hand_over(item));
    world.settle();
    for message in ["m2", "n2"] {
        assert!(matches!(world.told(message)[..], [ClientReply::Outcome { outcome: Ok(_), .. }]), "{message}");
    }
    world.wait(1);
    let of = |key: &TurnKey| key.execution == world.shelf.instances[&key.instance].execution;
    assert!(world.shelf.turns.keys().all(of), "the turns of what was replaced are gone");
}

#[test]
fn h12_a_message_id_that_a_command_has_used_as_well_is_no_trouble() {
    let mut world = World::new(registry());
    world.send_when("a", "same", start("adder", "0"), AnswerWhen::Accepted);
    world.settle();
    world.send("a", "same", Command::Suspend { reason: None });
    world.send("a", "t", Command::Terminate { reason: None, recursive: true });
    world.settle();
    world.send("a", "p", PURGE);
    world.settle();
    world.wait(1);
    assert_empty(&world);
}
