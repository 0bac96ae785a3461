//! Large instances: what an item costs must not grow with how many there are.

use std::time::Duration;

use warren_model::{Command, Status};

use super::{
    super::*,
    registry,
    world::{World, json},
};

fn wide(n: usize) -> Duration {
    let mut world = World::with(registry(), Settings { batch: 1_000, ..Settings::default() });
    world.start("w", "wide", &n.to_string());
    let since = busy();
    world.settle();
    assert_eq!(world.record("w").status, Status::Completed);
    busy() - since
}

/// Sends a suspended instance so many events, each in a batch of its own, then lets it take them.
fn held(n: usize) -> Duration {
    let mut world = World::with(registry(), Settings { batch: 1, ..Settings::default() });
    world.start("a", "adder", "0");
    world.send("a", "s", Command::Suspend { reason: None });
    let since = busy();
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
    busy() - since
}

/// How long this thread has run on a processor: other work on the machine does not count (Linux).
fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells how long a thread has run");
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Eight times as many take eight times as long, not sixty-four.
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
