//! Rows that somebody has broken: their instance waits until they are mended, and nothing of it is lost.

use warren_broker::{ClientReply, decode_work_item};
use warren_model::{Command, ConditionKind, RefusalCode};

use super::{
    super::*,
    registry,
    world::{World, id, json},
};

fn raise(n: &str, keep_unseen: bool) -> Command {
    Command::Raise { event: "go".into(), input: json(n), keep_unseen }
}

/// Answers the last work item that was published.
fn reply(world: &mut World, result: &str) {
    let work = world.published.iter().rfind(|p| p.message.kind.as_deref() == Some("double")).unwrap();
    let message = work.message.clone();
    let delivery = Delivery { tag: 1, redelivered: false, routing_key: "".into(), message };
    let item = decode_work_item(&delivery).unwrap();
    world.queue.push_back((warren_broker::codec::reply(&item, &Ok(json(result)), "w").message, false));
}

#[test]
fn h14_an_instance_whose_row_can_t_be_read_is_not_taken_for_one_that_nobody_has_seen() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    let row = world.record("a").clone();
    world.crash();
    world.shelf.broken_rows.insert(id("a"));
    world.send("a", "other", super::world::start("twice", "1"));
    world.send("a", "r0", raise("1", false));
    world.send("a", "s", Command::Suspend { reason: None });
    world.send("a", "w", Command::Wait);
    world.settle();
    assert_eq!(world.record("a"), &row, "its row is left alone");
    let code = |message_id: &str| match world.told(message_id)[..] {
        [ClientReply::Refused(refusal)] => (refusal.code, refusal.message.contains("is no row")),
        ref told => panic!("{told:?}"),
    };
    assert_eq!(code("other"), (RefusalCode::Exists, true));
    for refused in ["r0", "s", "w"] {
        assert_eq!(code(refused), (RefusalCode::Unreadable, true), "{refused}");
    }
    assert!(world.unacked.is_empty());
}

#[test]
fn what_arrives_for_an_instance_whose_row_can_t_be_read_is_kept_until_it_can() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("t", "twice", "3");
    world.start("s", "sleeper", "5");
    world.start("a", "adder", "0");
    world.settle();
    world.crash();
    let broken = ["t", "s", "a"].map(id);
    world.shelf.broken_rows.extend(broken.clone());
    reply(&mut world, "6");
    world.send("a", "r1", raise("1", true));
    world.send("a", "r2", raise("2", true));
    world.settle();
    world.wait(6);
    assert!(world.unacked.is_empty(), "nothing stays unacknowledged on its account");
    assert_eq!((world.shelf.pending.len(), world.shelf.timers.len()), (4, 0), "{:?}", world.shelf.pending);
    world.crash();
    world.shelf.broken_rows.clear();
    world.has_workers = true;
    world.settle();
    assert_eq!(["t", "s", "a"].map(|name| world.outcome(name).clone()), ["12", "5", "3"].map(|n| Ok(json(n))));
    assert!(world.shelf.pending.is_empty());
}

#[test]
fn a_resume_loads_an_instance_whose_row_was_mended() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.crash();
    world.shelf.broken_rows.insert(id("a"));
    world.send("a", "r1", raise("1", true));
    world.send("a", "r2", raise("2", true));
    world.settle();
    world.shelf.broken_rows.clear();
    world.send("a", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("3")));
}

#[test]
fn a_resume_of_an_instance_whose_history_can_t_be_read_loses_nothing() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "3");
    world.settle();
    world.crash();
    world.shelf.broken_histories.insert(id("a"));
    reply(&mut world, "6");
    world.settle();
    assert_eq!(world.record("a").condition.as_ref().unwrap().kind, ConditionKind::Corrupt);
    world.send("a", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(
        (world.record("a").condition.as_ref().unwrap().kind, world.shelf.pending.len()),
        (ConditionKind::Corrupt, 1)
    );
    world.shelf.broken_histories.clear();
    world.has_workers = true;
    world.send("a", "again", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));
}

#[test]
fn who_waits_for_an_outcome_that_can_t_be_read_is_told_so() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.settle();
    world.shelf.broken_histories.insert(id("a"));
    world.send("a", "w", Command::Wait);
    world.settle();
    assert!(matches!(&world.told("w")[..], [ClientReply::Refused(refusal)] if refusal.code == RefusalCode::Unreadable));
    assert_eq!(world.record("a").condition, None, "an instance that has ended has no condition");
}
