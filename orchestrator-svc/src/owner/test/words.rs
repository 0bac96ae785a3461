//! Words to partitions that are lost although the broker has confirmed them (H6, H9).

use std::num::NonZeroU16;

use warren::{Context, Failure, Orchestrator};
use warren_broker::{Address, Message, Published};
use warren_model::{Command, Partition, PartitionCount, Redispatch, Status};

use super::{
    super::*,
    DOUBLE, registry,
    world::{World, id, json},
};

/// A parent whose word to its child was confirmed and lost.
fn lost() -> World {
    let mut world = World::new(registry());
    world.start("p", "parent", "4");
    world.deliver();
    while world.act() {}
    assert_eq!((world.queue.len(), world.shelf.sent[&Partition(0)]), (1, 1));
    world.queue.clear();
    world.settle();
    assert!(!world.shelf.instances.contains_key(&id("child-4")));
    world
}

#[test]
fn h6_word_that_the_broker_has_lost_is_sent_again() {
    let mut world = lost();
    // What comes behind it waits for it.
    world.start("p2", "parent", "5");
    world.settle();
    assert_eq!(world.shelf.aside.len(), 1);
    world.wait(31);
    assert_eq!([world.outcome("p"), world.outcome("p2")], [&Ok(json("16")), &Ok(json("20"))]);
    world.wait(1);
    assert!(world.shelf.outbox.is_empty() && world.shelf.aside.is_empty(), "{:?}", world.shelf.outbox);
    assert_eq!(world.work_items("double"), 4);
}

#[test]
fn h6_word_that_the_broker_has_lost_is_sent_again_by_the_next_owner() {
    let mut world = lost();
    world.wait(1);
    assert_eq!(world.shelf.outbox.len(), 1, "its row stays");
    world.crash();
    world.settle();
    assert_eq!(world.outcome("p"), &Ok(json("16")));
    world.wait(1);
    assert!(world.shelf.outbox.is_empty());
}

#[test]
fn h6_a_redispatch_sends_words_again_at_once() {
    let mut world = lost();
    world.redispatch("r", Redispatch::default());
    world.settle();
    assert_eq!(world.outcome("p"), &Ok(json("16")));
}

#[test]
fn a_drain_leaves_to_the_next_owner_only_the_words_that_were_not_heard() {
    /// Has a child and a task at once.
    async fn mixed(ctx: Context, n: i64) -> Result<i64, Failure> {
        let child = ctx.orchestrator(Orchestrator::<i64, i64>::new("twice")).id("c").call(n);
        let task = ctx.call(DOUBLE, n);
        Ok(child.await? + task.await?)
    }
    let mut world = World::new(registry().orchestrator(Orchestrator::new("mixed"), mixed));
    world.has_workers = false;
    world.start("m", "mixed", "4");
    world.deliver();
    while world.act() {}
    world.queue.clear();
    world.input(Input::Drain);
    world.settle();
    assert!(world.is_drained);
    let rows: Vec<_> = world.shelf.outbox.values().flatten().collect();
    assert!(matches!(rows[..], [OutboxEntry::Turn(turn)] if turn.only_words), "{rows:?}");
    let items = world.work_items("double");
    world.has_workers = true;
    world.crash();
    world.settle();
    // The task of `m` was confirmed: only its child's come.
    assert_eq!(world.work_items("double"), items + 2);
    assert_eq!(world.record("c").status, Status::Completed);
    world.wait(1);
    assert!(world.shelf.outbox.is_empty());
}

#[test]
fn a_row_that_is_narrowed_keeps_the_words_that_were_not_heard() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("p", "parent", "4");
    world.start("t", "twice", "4");
    world.deliver();
    // In one commit: word to the child, which is confirmed and lost, and a work item, which is not taken.
    let is_publication = |effect: &Effect| matches!(effect, Effect::Publish { ticket: Ticket::Commit(_), .. });
    while !world.effects.front().is_some_and(is_publication) {
        assert!(world.act());
    }
    let Some(Effect::Publish { ticket, batch }) = world.effects.pop_front() else { unreachable!() };
    let is_word = |message: &Message| message.kind.as_deref() == Some("partition");
    let result = |is_word| if is_word { Published::Confirmed } else { Published::Refused("full".into()) };
    let results: Vec<_> = batch.iter().map(|publication| result(is_word(&publication.message))).collect();
    assert!(results.contains(&Published::Confirmed) && results.len() == 2);
    world.input(Input::Published { ticket, results });
    world.send("t", "s", Command::Suspend { reason: None });
    world.deliver();
    while world.act_on(|effect| !is_publication(effect)) {}
    let rows: Vec<_> = world.shelf.outbox.values().flatten().collect();
    assert!(matches!(rows[..], [OutboxEntry::Turn(p), OutboxEntry::Turn(t)] if p.only_words && !t.only_words));
    world.crash();
    world.settle();
    assert!(world.shelf.instances.contains_key(&id("child-4")));
}

/// An owner of each of two partitions, and a parent of the first whose child is in the second.
fn two() -> (World, World, String, String) {
    let partitions = PartitionCount(NonZeroU16::new(2).unwrap());
    let of = |n: u16| World::of(registry(), Settings::default(), Partition(n), partitions);
    let parent = (0..).map(|n| format!("p{n}")).find(|name| partitions.of(&id(name)) == Partition(0)).unwrap();
    let child = (0..).find(|n| partitions.of(&id(&format!("child-{n}"))) == Partition(1)).unwrap();
    (of(0), of(1), parent, child.to_string())
}

/// What was published of this kind to a queue.
fn words(world: &World, kind: &str, queue: &str) -> Vec<Message> {
    let to = Address::Queue(queue.into());
    let are = world.published.iter().filter(|p| p.message.kind.as_deref() == Some(kind) && p.to == to);
    are.map(|publication| publication.message.clone()).collect()
}

#[test]
fn another_partition_tells_what_it_has_taken_and_tells_it_again_to_who_has_not_heard() {
    let (mut here, mut there, parent, child) = two();
    here.start(&parent, "parent", &child);
    here.settle();
    let starts = words(&here, "partition", "t.control.01");
    assert_eq!((starts.len(), here.shelf.outbox.len()), (1, 1));
    there.queue.push_back((starts[0].clone(), false));
    there.deliver();
    while there.act_on(|effect| !matches!(effect, Effect::Commit(_))) {}
    assert!(words(&there, "taken", "t.control.00").is_empty(), "not before the commit");
    there.settle();
    there.wait(1);
    assert_eq!(words(&there, "taken", "t.control.00").len(), 1);
    // That gets lost: the sender sends the word again.
    here.wait(31);
    assert_eq!(words(&here, "partition", "t.control.01").len(), 2);
    there.queue.push_back((starts[0].clone(), false));
    there.settle();
    there.wait(1);
    let told = words(&there, "taken", "t.control.00");
    assert_eq!(told.len(), 2);
    here.queue.push_back((told[1].clone(), false));
    here.settle();
    here.wait(1);
    assert!(here.shelf.outbox.is_empty());
    assert_eq!(there.shelf.instances.len(), 1);
}

#[test]
fn a_sender_whose_store_has_forgotten_what_it_sent_goes_on_behind_it_and_redispatch_heals_the_rest() {
    let (mut here, mut there, parent, child) = two();
    // The store of the sender came back without its last commits: the target has taken more than it remembers.
    there.shelf.received.insert(Partition(0), 1_000);
    there.crash();
    here.start(&parent, "parent", &child);
    here.settle();
    let start = words(&here, "partition", "t.control.01").remove(0);
    there.queue.push_back((start, false));
    there.settle();
    there.wait(1);
    assert!(there.shelf.instances.is_empty(), "it has the number of something else that was taken");
    let told = words(&there, "taken", "t.control.00").remove(0);
    here.queue.push_back((told, false));
    here.settle();
    here.redispatch("r", Redispatch::default());
    here.settle();
    let again = words(&here, "partition", "t.control.01").pop().unwrap();
    there.queue.push_back((again, false));
    there.settle();
    assert_eq!((there.shelf.instances.len(), here.shelf.sent[&Partition(1)]), (1, 1_001));
}
