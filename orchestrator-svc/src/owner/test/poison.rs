//! Instances that take their owner down (H18): marked only after a crash, alone when they strike again, quarantined.

use warren::{Context, Failure, Orchestrator};
use warren_model::{Command, ConditionKind, InstanceId, Status};
use warren_store::Suspect;

use super::{
    super::*,
    registry,
    world::{World, id, json},
};

const KILLER: Orchestrator<u32, u32> = Orchestrator::new("killer");

/// Adds the events that it is sent; the real one would abort its process.
async fn killer(ctx: Context, _: u32) -> Result<u32, Failure> {
    ctx.event(warren::Event::<u32>::new("go")).await
}

fn world() -> World {
    World::new(registry().orchestrator(KILLER, killer))
}

/// Runs an owner that dies as soon as it is about to run a batch with the instance in it, again and again, until it rests.
/// Returns how often it died.
fn run_until_it_rests(world: &mut World, poison: &InstanceId) -> usize {
    let mut deaths = 0;
    'life: loop {
        for _ in 0..10_000 {
            world.deliver();
            let Some(effect) = world.effects.pop_front() else {
                if world.queue.is_empty() {
                    return deaths;
                }
                continue;
            };
            let runs = |commit: &Commit| commit.turns.iter().any(|turn| turn.key.instance == *poison);
            if matches!(&effect, Effect::Commit(commit) if runs(commit)) {
                deaths += 1;
                assert!(deaths < 10, "it is never quarantined: {:?}", world.shelf.suspects);
                world.crash();
                continue 'life;
            }
            if let Some(input) = world.carry_out(effect) {
                world.input(input);
            }
        }
        panic!("the owner never comes to rest");
    }
}

fn count(world: &World, instance: &str) -> u32 {
    world.shelf.suspects.get(&id(instance)).map_or(0, |mark| mark.count)
}

#[test]
fn h18_while_all_goes_well_nothing_is_marked() {
    let mut world = world();
    world.start("a", "twice", "3");
    while world.act() || !world.queue.is_empty() {
        world.deliver();
        assert!(world.effects.iter().all(|effect| !matches!(effect, Effect::Commit(it) if !it.suspects.is_empty())));
    }
    assert_eq!(world.outcome("a"), &Ok(json("12")));
}

#[test]
fn h18_after_a_crash_the_marks_are_written_before_anything_runs_and_go_with_the_batch() {
    let mut world = world();
    for name in ["a", "b", "c"] {
        world.start(name, "twice", "3");
    }
    world.deliver();
    world.crash();
    world.deliver();
    while !matches!(world.effects.front(), Some(Effect::Commit(_))) {
        world.act();
    }
    let Some(Effect::Commit(marks)) = world.effects.front() else { unreachable!() };
    assert_eq!(marks.suspects.iter().map(|mark| mark.count).collect::<Vec<_>>(), [1, 1, 1]);
    assert!(marks.turns.is_empty() && marks.instances.is_empty() && marks.received.is_empty());
    world.act();
    assert_eq!(world.shelf.suspects.len(), 3);
    world.settle();
    assert_eq!(world.outcome("b"), &Ok(json("12")));
    assert!(world.shelf.suspects.is_empty(), "{:?}", world.shelf.suspects);
}

#[test]
fn h18_an_instance_that_kills_its_owner_is_quarantined_and_no_other() {
    let mut world = world();
    for n in 0..30 {
        world.start(&format!("good-{n}"), "twice", "3");
    }
    world.start("bad", "killer", "1");
    for n in 30..60 {
        world.start(&format!("good-{n}"), "twice", "3");
    }
    let deaths = run_until_it_rests(&mut world, &id("bad"));
    assert_eq!(deaths, 4, "once unmarked, once with others, twice alone");
    let condition = world.record("bad").condition.clone().expect("it has a condition");
    assert_eq!(condition.kind, ConditionKind::Quarantined);
    assert!(condition.message.contains("counted 4 times"), "{}", condition.message);
    for n in 0..60 {
        assert_eq!(world.outcome(&format!("good-{n}")), &Ok(json("12")));
    }
    assert!(world.shelf.suspects.is_empty() && world.unacked.is_empty(), "{:?}", world.shelf.suspects);
    // It stays so over further owners, keeps what is sent to it, and goes on when it is told to.
    let raise = Command::Raise { event: "go".into(), input: json("7"), keep_unseen: false };
    world.send("bad", "raise", raise);
    world.settle();
    world.crash();
    world.settle();
    assert_eq!(world.record("bad").condition, Some(condition));
    world.send("bad", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.outcome("bad"), &Ok(json("7")));
}

#[test]
fn h18_a_timer_and_a_parked_instance_that_kill_are_found_too() {
    let mut world = world();
    world.start("nap", "sleeper", "2");
    world.settle();
    world.second += 10;
    let deaths = run_until_it_rests_with_time(&mut world);
    assert_eq!(world.record("nap").condition.as_ref().map(|it| it.kind), Some(ConditionKind::Quarantined));
    assert_eq!(deaths, 4);
}

fn run_until_it_rests_with_time(world: &mut World) -> usize {
    world.input(Input::Tick);
    run_until_it_rests(world, &id("nap"))
}

#[test]
fn h18_one_that_is_ended_while_it_is_in_quarantine_is_ended() {
    let mut world = world();
    world.start("bad", "killer", "1");
    run_until_it_rests(&mut world, &id("bad"));
    world.send("bad", "end", Command::Terminate { reason: None, recursive: true });
    world.settle();
    assert_eq!(world.record("bad").status, Status::Terminated);
}

#[test]
fn h18_of_a_refused_commit_the_guilty_instance_is_found_among_many() {
    let mut world = world();
    for n in 0..8 {
        world.start(&format!("good-{n}"), "twice", "3");
    }
    world.start("bad", "killer", "1");
    let mut refusals = 0;
    'life: loop {
        loop {
            world.deliver();
            let Some(effect) = world.effects.pop_front() else { break };
            let is_bad = |commit: &Commit| commit.turns.iter().any(|turn| turn.key.instance == id("bad"));
            if let Effect::Commit(commit) = &effect
                && is_bad(commit)
            {
                refusals += 1;
                assert!(refusals < 5, "it is never found");
                let suspects = blame(commit, "a row is refused");
                assert!(!suspects.is_empty(), "somebody is to blame");
                world.shelf.apply(Commit { suspects, ..Commit::new(commit.partition, commit.epoch, commit.number) });
                world.end_session();
                continue 'life;
            }
            if let Some(input) = world.carry_out(effect) {
                world.input(input);
            }
        }
        if world.queue.is_empty() {
            break;
        }
    }
    assert_eq!(refusals, 2, "with the others, then alone");
    let condition = world.record("bad").condition.clone().expect("it has a condition");
    assert!(condition.message.contains("a row is refused"), "{}", condition.message);
    for n in 0..8 {
        assert_eq!(world.outcome(&format!("good-{n}")), &Ok(json("12")));
    }
}

#[test]
fn h18_what_can_t_even_be_quarantined_is_left_alone_and_says_so() {
    let mut world = world();
    world.start("bad", "killer", "1");
    world.settle();
    let mark = Suspect { instance: id("bad"), count: 5, reason: "its row is refused".into() };
    world.shelf.suspects.insert(id("bad"), mark);
    world.end_session();
    let before = world.record("bad").clone();
    world.send("bad", "end", Command::Terminate { reason: None, recursive: true });
    world.settle();
    assert_eq!(world.record("bad"), &before);
    let told = format!("{:?}", world.told("end"));
    assert!(told.contains("its row is refused"), "{told}");
    assert_eq!(count(&world, "bad"), 5);
    // Resume lets it try again.
    world.send("bad", "resume", Command::Resume { reason: None });
    world.send("bad", "end again", Command::Terminate { reason: None, recursive: true });
    world.settle();
    assert_eq!(world.record("bad").status, Status::Terminated);
}

#[test]
fn h18_a_turn_that_does_not_return_is_condemned_the_second_time() {
    let first = accuse(&id("a"), None, 30);
    assert_eq!(first.count, 1);
    // Before it runs again it is marked.
    assert_eq!(accuse(&id("a"), Some(&Suspect { count: 2, ..first.clone() }), 30).count, 3);
    assert_eq!(accuse(&id("a"), Some(&Suspect { count: 4, ..first }), 30).count, 4);
}
