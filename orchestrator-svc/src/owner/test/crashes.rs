//! What survives the loss of an owner, a broker or a message.

use warren_broker::{ClientReply, Published};
use warren_model::{AnswerWhen, Command, RefusalCode, Status};

use super::{
    super::*,
    registry,
    world::{World, json, start},
};

#[test]
fn an_orchestration_runs_from_start_to_outcome() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));
    assert_eq!(world.record("a").status, Status::Completed);
    assert!(world.unacked.is_empty());
    assert_eq!(world.owner.cached_instances(), 0, "what has ended leaves the cache");
}

#[test]
fn h3_nothing_is_acknowledged_published_or_answered_before_its_commit() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.deliver();
    while !matches!(world.effects.front(), Some(Effect::Commit(_))) {
        assert!(world.act());
        assert!(world.published.is_empty() && world.unacked.len() == 1);
    }
    assert_eq!(world.effects.len(), 1, "only the commit is wanted: {:?}", world.effects);
    world.act();
    assert!(matches!(world.effects.make_contiguous(), [Effect::Publish { .. }, Effect::Ack(1), ..]));
}

#[test]
fn h4_what_was_committed_and_not_published_is_published_by_the_next_owner() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.deliver();
    while world.shelf.number == 0 {
        world.act();
    }
    world.crash();
    assert!(world.published.is_empty());
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));
    world.wait(1);
    assert!(world.shelf.outbox.is_empty(), "an idle owner clears what is confirmed: {:?}", world.shelf.outbox);
}

#[test]
fn h1_a_crash_between_any_two_steps_changes_nothing() {
    let end_of = |crash_at: usize| {
        let mut world = World::new(registry());
        for (n, name) in ["twice", "wide", "parent", "countdown", "sleeper"].iter().enumerate() {
            world.start(name, name, &(n + 2).to_string());
        }
        world.send("countdown", "go", Command::Raise { event: "go".into(), input: json("7"), keep_unseen: true });
        let mut steps = 0;
        for _ in 0..20 {
            world.deliver();
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
        let outcomes: Vec<_> =
            ["twice", "wide", "parent", "countdown", "sleeper"].map(|n| world.outcome(n).clone()).into();
        assert_eq!(outcomes, ["8", "6", "16", "7", "6"].map(|text| Ok(json(text))), "crash at step {crash_at}");
        assert!(world.shelf.pending.is_empty() && world.shelf.timers.is_empty() && world.unacked.is_empty());
        assert!(world.shelf.outbox.is_empty(), "crash at step {crash_at}: {:?}", world.shelf.outbox);
        steps
    };
    let steps = end_of(usize::MAX);
    assert!(steps > 30, "{steps}");
    for crash_at in 1..=steps {
        end_of(crash_at);
    }
}

#[test]
fn h1_duplicates_of_everything_change_nothing() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.start("a", "twice", "3");
    world.settle();
    world.start("a", "twice", "3");
    world.settle();
    assert_eq!(world.work_items("double"), 2);
    assert_eq!(world.shelf.instances.len(), 1);
    assert!(
        world
            .told("start-a")
            .iter()
            .all(|reply| matches!(reply, ClientReply::Outcome { outcome: Ok(r), .. } if *r == json("12")))
    );

    world.has_workers = false;
    world.start("b", "adder", "0");
    world.settle();
    let raise = || Command::Raise { event: "go".into(), input: json("5"), keep_unseen: false };
    for _ in 0..3 {
        world.send("b", "r1", raise());
        world.send("b", "r1", raise());
        world.settle();
        world.crash();
    }
    assert_eq!(world.record("b").status, Status::Running, "one event was raised, however often it was sent");
    assert!(world.told("r1").len() >= 3 && world.told("r1").iter().all(|r| matches!(r, ClientReply::Answer(_))));
    world.send("b", "r2", raise());
    world.settle();
    assert_eq!(world.outcome("b"), &Ok(json("10")));
}

#[test]
fn h14_an_id_that_is_taken_is_refused_to_another_start_even_after_the_end() {
    let mut world = World::new(registry());
    for status in ["Pending", "Completed"] {
        world.start("a", "twice", "3");
        world.send("a", &format!("other-{status}"), start("wide", "1"));
        world.settle();
        let told = world.told(&format!("other-{status}"));
        let [ClientReply::Refused(refusal)] = &told[..] else { panic!("{told:?}") };
        assert_eq!(refusal.code, RefusalCode::Exists);
        assert!(refusal.message.contains("instance a exists already"), "{}", refusal.message);
    }
    assert_eq!(world.outcome("a"), &Ok(json("12")));
}

#[test]
fn h6_what_the_broker_did_not_take_is_published_again_until_it_does() {
    for trouble in [Published::Returned, Published::Refused("full".into()), Published::Lost("gone".into())] {
        let mut world = World::new(registry());
        world.broker_says = [trouble.clone(), trouble].into();
        world.start("a", "twice", "3");
        world.settle();
        assert_eq!(world.record("a").status, Status::Running);
        world.wait(1);
        world.wait(1);
        assert_eq!(world.outcome("a"), &Ok(json("12")));
        world.wait(1);
        assert!(world.shelf.outbox.is_empty());
    }
}

#[test]
fn h6_what_stays_unconfirmed_is_narrowed_to_itself() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "3");
    world.start("b", "adder", "0");
    world.broker_says = [Published::Returned].into();
    world.settle();
    world.send("b", "s", Command::Suspend { reason: None });
    world.settle();
    let left: Vec<_> = world.shelf.outbox.values().flatten().collect();
    assert!(matches!(&left[..], [warren_store::OutboxEntry::Turn(turn)] if turn.instance.as_str() == "a"), "{left:?}");
}

#[test]
fn a_message_that_makes_no_sense_goes_to_the_dead_queue_and_blocks_nothing() {
    let mut world = World::new(registry());
    let mut nonsense = warren_broker::Message { kind: Some("dance".into()), ..Default::default() };
    nonsense.reply_to = Some("client".into());
    nonsense.correlation_id = Some("c".into());
    world.queue.push_back((nonsense, false));
    world.start("a", "twice", "3");
    world.broker_says = [Published::Refused("full".into())].into();
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")));
    assert!(!world.unacked.is_empty(), "it is not acknowledged before the dead queue has it");
    world.wait(1);
    assert!(world.unacked.is_empty());
    let dead: Vec<_> =
        world.published.iter().filter(|p| p.to == warren_broker::Address::Queue("t.dead".into())).collect();
    assert!(dead.iter().all(|p| p.message.headers.contains_key("warren-reason")) && dead.len() == 2, "{dead:?}");
    assert!(matches!(world.told("c")[..], [ClientReply::Refused(_)]), "its sender is told");
}

#[test]
fn h8_a_reply_counts_once_and_a_late_one_not_at_all() {
    let mut world = World::new(registry());
    world.start("a", "twice", "3");
    world.settle();
    world.wait(1);
    let replies: Vec<_> = world.published.clone();
    for publication in replies.iter().filter(|p| p.message.kind.as_deref() == Some("double")) {
        let delivery =
            Delivery { tag: 1, redelivered: false, routing_key: "".into(), message: publication.message.clone() };
        let item = warren_broker::decode_work_item(&delivery).unwrap();
        world.queue.push_back((warren_broker::codec::reply(&item, &Ok(json("99")), "late").message, false));
    }
    let number = world.shelf.number;
    world.settle();
    assert_eq!((world.outcome("a"), world.shelf.number), (&Ok(json("12")), number), "nothing is even written");
    assert!(world.unacked.is_empty());
}

#[test]
fn a_drained_owner_leaves_nothing_behind() {
    let mut world = World::new(registry());
    world.start("a", "wide", "50");
    world.start("s", "sleeper", "1");
    world.deliver();
    world.input(Input::Drain);
    world.has_workers = false;
    world.settle();
    assert!(world.is_drained && world.unacked.is_empty() && world.shelf.outbox.is_empty());
    world.second += 5;
    world.crash();
    world.wait(0);
    assert_eq!(world.outcome("s"), &Ok(json("1")), "the next owner goes on");
}

#[test]
fn a_drain_does_not_wait_for_what_the_broker_refuses() {
    let mut world = World::new(registry());
    world.broker_says = vec![Published::Refused("full".into()); 3].into();
    world.start("a", "twice", "3");
    world.deliver();
    world.input(Input::Drain);
    while !world.is_drained {
        assert!(world.act(), "it drains without another try");
    }
    assert!(!world.shelf.outbox.is_empty());
    world.broker_says.clear();
    world.end_session();
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("12")), "the next owner publishes it");
}

#[test]
fn a_wait_is_answered_at_the_end_or_at_once_if_it_has_come() {
    let mut world = World::new(registry());
    world.start("s", "sleeper", "10");
    world.send_when("s", "w1", Command::Wait, AnswerWhen::Outcome);
    world.send_when("nobody", "w2", Command::Wait, AnswerWhen::Outcome);
    world.settle();
    assert!(world.told("w1").is_empty());
    assert!(matches!(&world.told("w2")[..], [ClientReply::Refused(r)] if r.code == RefusalCode::NotFound));
    world.wait(10);
    world.send_when("s", "w3", Command::Wait, AnswerWhen::Outcome);
    world.settle();
    for wait in ["w1", "w3"] {
        assert!(matches!(
            world.told(wait)[..],
            [ClientReply::Outcome { outcome: Ok(_), status: Status::Completed, .. }]
        ));
    }
    assert_eq!(world.owner.cached_instances(), 0);
}

#[test]
fn the_cache_is_bounded_and_eviction_changes_no_outcome() {
    let settings = Settings { cache_instances: 3, batch: 7, ..Settings::default() };
    let mut world = World::with(registry(), settings);
    for n in 0..40 {
        world.start(&format!("i{n}"), ["twice", "wide", "parent"][n % 3], &n.to_string());
    }
    world.settle();
    for n in 0..40_i64 {
        let expect = [n * 4, n * (n - 1), n * 4][usize::try_from(n % 3).unwrap()];
        assert_eq!(world.outcome(&format!("i{n}")), &Ok(json(&expect.to_string())));
    }
    assert!(world.owner.cached_instances() <= 3, "{}", world.owner.cached_instances());
}

#[test]
fn the_cache_is_bounded_in_bytes_too() {
    let settings = Settings { cache_bytes: 20 * 1024, ..Settings::default() };
    let mut world = World::with(registry(), settings);
    (0..40).for_each(|n| world.start(&format!("i{n}"), "adder", "0"));
    world.settle();
    assert!((1..=5).contains(&world.owner.cached_instances()), "{}", world.owner.cached_instances());
}

#[test]
fn h11_a_timer_fires_when_due_and_not_before_also_after_a_crash() {
    let mut world = World::new(registry());
    world.start("s", "sleeper", "1000");
    world.settle();
    for _ in 0..9 {
        world.wait(100);
        world.crash();
        world.settle();
    }
    world.wait(99);
    assert_eq!(world.record("s").status, Status::Running);
    world.wait(1);
    assert_eq!(world.outcome("s"), &Ok(json("1000")));
    assert!(world.shelf.timers.is_empty());
}

#[test]
fn an_instance_that_ends_while_a_batch_for_it_is_being_read_still_answers_that_batch() {
    let mut world = World::new(registry());
    world.start("s", "sleeper", "10");
    world.settle();
    world.second += 10;
    world.input(Input::Tick);
    let held: Vec<Effect> = world.effects.drain(..).filter(|effect| matches!(effect, Effect::Commit(_))).collect();
    assert_eq!(held.len(), 1, "the end is on its way");
    world.send_when("s", "w", Command::Wait, AnswerWhen::Outcome);
    world.send_when("nobody", "other", Command::Wait, AnswerWhen::Outcome);
    world.deliver();
    let load = world.effects.pop_front();
    assert!(matches!(load, Some(Effect::Load(_))), "another instance is being read: {load:?}");
    world.effects.extend(held);
    world.act(); // the commit lands first
    world.effects.extend(load);
    world.settle();
    assert!(matches!(world.told("w")[..], [ClientReply::Outcome { outcome: Ok(_), .. }]), "{:?}", world.told("w"));
}
