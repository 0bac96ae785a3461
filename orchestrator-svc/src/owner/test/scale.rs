//! Large instances: what an item costs must not grow with how many there are.

use std::time::{Duration, Instant};

use warren_model::{Command, Status};

use super::{
    super::*,
    registry,
    world::{World, json},
};

fn wide(n: usize) -> Duration {
    let mut world = World::with(registry(), Settings { batch: 1_000, ..Settings::default() });
    world.start("w", "wide", &n.to_string());
    let since = Instant::now();
    world.settle();
    assert_eq!(world.record("w").status, Status::Completed);
    since.elapsed()
}

/// Sends a suspended instance so many events, each in a batch of its own, then lets it take them.
fn held(n: usize) -> Duration {
    let mut world = World::with(registry(), Settings { batch: 1, ..Settings::default() });
    world.start("a", "adder", "0");
    world.send("a", "s", Command::Suspend { reason: None });
    let since = Instant::now();
    for i in 0..n {
        let raise = Command::Raise { event: "other".into(), input: json("1"), keep_unseen: false };
        world.send("a", &format!("r{i}"), raise);
    }
    world.settle();
    assert_eq!(world.shelf.pending.len(), n);
    world.crash();
    world.send("a", "resume", Command::Resume { reason: None });
    world.settle();
    assert!(world.shelf.pending.is_empty());
    since.elapsed()
}

/// Eight times as many take eight times as long, not sixty-four; the bound leaves room for a busy machine.
fn check(run: fn(usize) -> Duration, n: usize) {
    let (few, many) = (run(n).min(run(n)), run(n * 8));
    assert!(many < few * 32, "{n}: {few:?}, {}: {many:?}", n * 8);
}

#[test]
fn a_wide_instance_costs_no_more_for_each_task() {
    check(wide, 500);
}

#[test]
fn a_full_mailbox_costs_no_more_for_each_message() {
    check(held, 500);
}
