//! What has had its time: events that nobody comes for, answers that nobody asks for again.

use warren_broker::Address;
use warren_model::{Command, Status};

use super::{
    super::*,
    registry,
    world::{World, json},
};

fn raise(n: &str) -> Command {
    Command::Raise { event: "go".into(), input: json(n), keep_unseen: true }
}

fn settings() -> Settings {
    Settings { unseen_event: jiff::SignedDuration::from_secs(60), ..Settings::default() }
}

fn dead(world: &World) -> Vec<String> {
    let is_dead = |p: &&warren_broker::Publication| p.to == Address::Queue("t.dead".into());
    world.published.iter().filter(is_dead).map(|p| String::from_utf8_lossy(&p.message.body).into_owned()).collect()
}

fn is_expiry(effect: &Effect) -> bool {
    matches!(effect, Effect::Expire { .. })
}

#[test]
fn h10_events_that_nobody_comes_for_go_to_the_dead_queue_each_once() {
    let mut world = World::with(registry(), settings());
    for n in 0..12 {
        world.send(&format!("nobody-{}", n % 5), &format!("r{n}"), raise(&n.to_string()));
    }
    world.settle();
    for _ in 0..10 {
        world.wait(31);
    }
    let mut found = dead(&world);
    found.sort_by_key(|text| text.parse::<i64>().unwrap());
    assert_eq!(found, (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(world.shelf.pending.is_empty() && world.shelf.outbox.is_empty());
}

#[test]
fn h4_an_expired_event_is_not_lost_in_a_crash_at_any_step() {
    let run = |crash_at: usize| {
        let mut world = World::with(registry(), settings());
        world.send("nobody", "r", raise("7"));
        world.settle();
        let mut steps = 0;
        for _ in 0..8 {
            world.second += 31;
            world.input(Input::Tick);
            while world.act() {
                steps += 1;
                if steps == crash_at {
                    world.crash();
                }
            }
        }
        let found = dead(&world);
        assert!(!found.is_empty() && found.iter().all(|text| text == "7"), "crash at {crash_at}: {found:?}");
        assert!(world.shelf.pending.is_empty() && world.shelf.outbox.is_empty(), "crash at {crash_at}");
        steps
    };
    let steps = run(usize::MAX);
    assert!(steps > 5, "{steps}");
    for crash_at in 1..=steps {
        run(crash_at);
    }
}

#[test]
fn h10_a_start_that_meets_the_expiry_of_its_event_either_gets_it_or_leaves_it_to_the_dead_queue() {
    // At each step of the expiry, a start arrives and a step is delayed.
    for (start_after, starts_first) in (0..8).flat_map(|n| [(n, true), (n, false)]) {
        let mut world = World::with(registry(), settings());
        world.send("a", "r1", raise("7"));
        world.settle();
        world.second += 100;
        world.input(Input::Tick);
        for _ in 0..start_after {
            world.act();
        }
        world.start("a", "adder", "0");
        world.deliver();
        if starts_first {
            while world.act_on(|effect| !is_expiry(effect)) {}
        }
        world.settle();
        world.wait(100);
        assert_eq!(world.record("a").status, Status::Running);
        world.send("a", "r2", raise("1"));
        world.settle();
        let is_over = world.record("a").status == Status::Completed;
        assert_eq!(dead(&world).len(), usize::from(!is_over), "after {start_after} steps, {starts_first}");
        world.crash();
        world.settle();
        assert_eq!(world.record("a").status == Status::Completed, is_over, "and a new owner sees the same");
    }
}

#[test]
fn answers_are_forgotten_as_fast_as_they_come() {
    let settings = Settings { duplicate_window: jiff::SignedDuration::from_secs(60), ..Settings::default() };
    let mut world = World::with(registry(), settings);
    world.start("a", "adder", "0");
    for n in 0..50 {
        world.send("a", &format!("s{n}"), Command::Suspend { reason: None });
    }
    world.settle();
    assert_eq!(world.shelf.commands.len(), 50);
    world.wait(100);
    for _ in 0..12 {
        world.wait(1);
    }
    assert_eq!(world.shelf.commands.len(), 0, "a backlog does not wait for the next interval");
}
