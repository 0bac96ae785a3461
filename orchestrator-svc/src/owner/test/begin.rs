//! Work items that take workers down (H18): counted only when they come again, begun alone, quarantined, sent again.

use warren_broker::{
    Address, Delivery, OwnerWord, Permit, WorkItem,
    codec::{begin, reply},
    decode_owner_word, decode_work_item,
};
use warren_model::{Command, Failure, Redispatch, Status, code};

use super::{
    super::*,
    registry,
    world::{World, id, json, start},
};

const BEGINS_MAX: u32 = 3;

/// An instance of `twice` whose first work item is out, and workers that say nothing by themselves.
fn world() -> World {
    world_with(Settings { begins_max: BEGINS_MAX, ..Settings::default() })
}

fn world_with(settings: Settings) -> World {
    let mut world = World::with(registry(), settings);
    world.has_workers = false;
    world.start("a", "twice", "1");
    world.settle();
    world
}

/// The work item that was published last.
fn item(world: &World) -> WorkItem {
    let publication = world.published.iter().rev().find(|it| it.message.kind.as_deref() == Some("double")).unwrap();
    let message = publication.message.clone();
    decode_work_item(&Delivery { tag: 1, redelivered: true, routing_key: "t.work.double".into(), message }).unwrap()
}

fn ask(world: &mut World, item: &WorkItem, question: &str, is_alone: bool) {
    let mut publication = begin(item, question, &format!("worker of {question}"), is_alone);
    publication.message.reply_to = Some("worker".into());
    world.queue.push_back((publication.message, false));
}

/// What the worker was told, in order.
fn told(world: &World) -> Vec<Permit> {
    let to_worker = world.published.iter().filter(|it| it.to == Address::Queue("worker".into()));
    let word = |message| decode_owner_word(&Delivery { tag: 1, redelivered: false, routing_key: "".into(), message });
    let permit = |word| if let OwnerWord::Permit { permit, .. } = word { permit } else { panic!("{word:?}") };
    to_worker.map(|it| permit(word(it.message.clone()).unwrap())).collect()
}

/// Asks and returns the answer.
fn asked(world: &mut World, question: &str, is_alone: bool) -> Permit {
    let item = item(world);
    ask(world, &item, question, is_alone);
    world.settle();
    *told(world).last().unwrap()
}

fn answered(world: &mut World, item: &WorkItem, result: &str) {
    world.queue.push_back((reply(item, &Ok(json(result)), "w").message, false));
    world.settle();
}

fn counts(world: &World) -> Vec<u32> {
    world.shelf.task_notes.values().map(|row| row.count).collect()
}

#[test]
fn h18_while_nothing_comes_again_nothing_is_counted() {
    let mut world = world();
    let first = item(&world);
    answered(&mut world, &first, "2");
    let second = item(&world);
    answered(&mut world, &second, "4");
    assert_eq!(world.record("a").status, Status::Completed);
    assert!(world.shelf.task_notes.is_empty());
}

#[test]
fn h18_it_is_counted_before_it_may_begin_and_alone_from_the_second_time_on() {
    let mut world = world();
    let item = item(&world);
    ask(&mut world, &item, "q1", false);
    world.deliver();
    while !world.effects.iter().any(|effect| matches!(effect, Effect::Commit(_))) {
        assert!(world.act());
    }
    assert!(told(&world).is_empty(), "nothing is answered before its commit");
    world.settle();
    assert_eq!((told(&world), counts(&world)), (vec![Permit::Go], vec![1]));
    assert_eq!(asked(&mut world, "q2", false), Permit::Alone);
    assert_eq!(counts(&world), [1], "who must ask again is not counted");
    assert_eq!(asked(&mut world, "q3", true), Permit::Go);
    assert_eq!(counts(&world), [2]);
}

/// H1: the answer was lost, or the owner died between commit and acknowledgement.
#[test]
fn h1_the_same_question_is_counted_once() {
    let mut world = world();
    for _ in 0..3 {
        assert_eq!(asked(&mut world, "q1", false), Permit::Go);
        world.crash();
        world.settle();
    }
    assert_eq!(counts(&world), [1]);
}

#[test]
fn h18_a_count_goes_with_its_task() {
    let mut world = world();
    assert_eq!(asked(&mut world, "q1", false), Permit::Go);
    let first = item(&world);
    answered(&mut world, &first, "2");
    assert!(world.shelf.task_notes.is_empty(), "it was innocent");
    assert_eq!(asked(&mut world, "q2", false), Permit::Go);
    world.send("a", "stop", Command::Terminate { reason: None, recursive: true });
    world.settle();
    assert!(world.shelf.task_notes.is_empty(), "and nobody waits any more");
}

/// H8: what nobody waits for is not run again.
#[test]
fn h8_what_has_been_answered_is_dropped_even_in_the_batch_of_its_reply() {
    let mut world = world();
    let first = item(&world);
    ask(&mut world, &first, "q1", false);
    world.queue.push_back((reply(&first, &Ok(json("2")), "w").message, false));
    world.settle();
    assert_eq!(told(&world), [Permit::Drop]);
    ask(&mut world, &first, "q2", false);
    world.settle();
    assert_eq!(told(&world), [Permit::Drop; 2]);
    assert!(world.shelf.task_notes.is_empty());
    world.send("a", "stop", Command::Terminate { reason: None, recursive: true });
    world.send("a", "gone", Command::Purge { execution: None });
    world.settle();
    ask(&mut world, &first, "q3", false);
    world.settle();
    assert_eq!(told(&world), [Permit::Drop; 3], "nor if the instance is no more");
}

/// H2: an owner that was replaced would lose a work item that the next one has sent.
#[test]
fn h2_a_worker_is_told_to_drop_only_by_a_commit() {
    let mut world = world();
    let first = item(&world);
    answered(&mut world, &first, "2");
    let number = world.shelf.number;
    ask(&mut world, &first, "q1", false);
    world.settle();
    assert!(world.shelf.number > number);
    assert_eq!(told(&world), [Permit::Drop]);
}

#[test]
fn a_suspended_instance_that_holds_the_reply_needs_no_second_one() {
    let mut world = world();
    world.send("a", "pause", Command::Suspend { reason: None });
    world.settle();
    assert_eq!(asked(&mut world, "q1", false), Permit::Go, "a task of a suspended instance is open");
    let first = item(&world);
    answered(&mut world, &first, "2");
    assert_eq!(asked(&mut world, "q2", false), Permit::Drop);
}

#[test]
fn what_can_t_be_judged_runs_as_if_nobody_had_asked() {
    let mut world = world();
    world.shelf.broken_rows.insert(id("a"));
    world.crash();
    world.settle();
    assert_eq!(asked(&mut world, "q1", false), Permit::Go);
    assert!(counts(&world).is_empty());
    world.shelf.broken_rows.clear();
    world.shelf.broken_histories.insert(id("a"));
    world.crash();
    world.settle();
    assert_eq!(asked(&mut world, "q2", false), Permit::Go);
}

/// Lets the item take down as many workers as it may.
fn kill(world: &mut World) {
    for death in 0..BEGINS_MAX {
        assert_eq!(asked(world, &format!("q{death}"), death > 0), Permit::Go);
    }
    assert_eq!(asked(world, "last", false), Permit::Drop);
}

#[test]
fn h18_at_the_limit_it_is_quarantined_and_its_instance_goes_on() {
    let mut world = world();
    kill(&mut world);
    let row = &world.shelf.task_notes[&(id("a"), item_id(&world))];
    let reason = row.quarantine.clone().unwrap();
    assert!(reason.contains("activity double was begun 3 times") && reason.contains("worker of q2"), "{reason}");
    assert!(reason.ends_with("resume the instance to send it again"), "{reason}");
    assert_eq!((world.record("a").status, &world.record("a").condition), (Status::Running, &None));
    world.crash();
    assert_eq!(asked(&mut world, "later", true), Permit::Drop, "whoever owns it, and however it is asked");
    // A reply counts all the same: who was thought dead may only have been slow.
    let first = item(&world);
    answered(&mut world, &first, "2");
    assert!(world.shelf.task_notes.is_empty());
    let second = item(&world);
    answered(&mut world, &second, "4");
    assert_eq!(world.outcome("a"), &Ok(json("4")));
}

#[test]
fn h18_a_resume_sends_a_quarantined_task_again_and_counts_anew() {
    let mut world = world();
    kill(&mut world);
    let before = item(&world);
    world.send("a", "again", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.told("again").len(), 1);
    assert_eq!((world.work_items("double"), item(&world)), (2, before.clone()), "under its old token");
    world.wait(1);
    assert!(world.shelf.task_notes.is_empty() && world.shelf.outbox.is_empty());
    kill(&mut world);
    world.crash();
    world.send("a", "once more", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.work_items("double"), 3, "also by another owner");
    answered(&mut world, &before, "2");
    assert_eq!(world.work_items("double"), 4, "the instance goes on");
    world.send("a", "too often", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.work_items("double"), 4, "nothing is quarantined");
}

#[test]
fn h18_a_redispatch_passes_over_what_takes_workers_down() {
    let mut world = world();
    kill(&mut world);
    world.redispatch("all", Redispatch { queue: None, older_than_seconds: 0, instance: None });
    world.settle();
    assert_eq!((world.work_items("double"), world.shelf.task_notes.len()), (1, 1));
}

/// H4: the commit of the resume is written, and its work item is not published.
#[test]
fn h4_a_task_that_was_to_be_sent_again_survives_a_crash() {
    let mut world = world();
    kill(&mut world);
    world.send("a", "again", Command::Resume { reason: None });
    world.deliver();
    while world.shelf.task_notes.values().any(|row| row.quarantine.is_some()) {
        assert!(world.act());
    }
    assert_eq!(world.work_items("double"), 1);
    world.crash();
    world.settle();
    assert_eq!(world.work_items("double"), 2);
}

#[test]
fn a_quarantined_task_fails_where_the_settings_say_so() {
    let fails = Settings { begins_max: BEGINS_MAX, fails_quarantined: true, ..Settings::default() };
    let mut world = world_with(fails);
    kill(&mut world);
    let Err(Failure { code, message, retryable, .. }) = world.outcome("a") else { panic!("it does not fail") };
    assert_eq!((code.as_str(), *retryable), (code::QUARANTINED, false));
    assert!(message.contains("begun 3 times"), "{message}");
    assert!(world.shelf.task_notes.is_empty());
}

#[test]
fn h18_others_are_not_touched() {
    let mut world = world();
    kill(&mut world);
    world.has_workers = true;
    world.send("b", "start-b", start("wide", "20"));
    world.settle();
    assert_eq!(world.record("b").status, Status::Completed);
    assert_eq!(world.shelf.task_notes.len(), 1);
}

fn item_id(world: &World) -> warren_model::ActionId {
    item(world).token.parse::<warren_model::Token>().unwrap().task
}
