//! What was lost on its way is sent again, as often as anybody likes (H5, H6).

use jiff::SignedDuration;
use warren::{Activity, Context, Failure, Orchestrator};
use warren_broker::{ClientReply, Published};
use warren_model::{Command, Redispatch, Redispatched, Status};
use warren_store::TaskNote;

use super::{
    super::*,
    registry,
    world::{World, id, json},
};

const ALL: Redispatch = Redispatch { queue: None, older_than_seconds: 0, instance: None };

fn of_queue(queue: &str) -> Redispatch {
    Redispatch { queue: Some(queue.into()), ..ALL }
}

fn sent(world: &World, message_id: &str) -> Redispatched {
    let told = world.told(message_id);
    let [ClientReply::Redispatched(redispatched)] = &told[..] else { panic!("{message_id} was told {told:?}") };
    *redispatched
}

fn counts(instances: u64, tasks: u64, children: u64) -> Redispatched {
    Redispatched { instances, tasks, children }
}

/// Instances of several shapes whose work items were all lost.
fn lost() -> World {
    let mut world = World::new(registry());
    world.has_workers = false;
    for n in 0..5 {
        world.start(&format!("twice-{n}"), "twice", &n.to_string());
    }
    world.start("wide", "wide", "7");
    world.start("parent", "parent", "3");
    world.start("adder", "adder", "0");
    world.start("sleeper", "sleeper", "3600");
    world.settle();
    world.has_workers = true;
    world
}

#[test]
fn h6_work_items_that_were_lost_are_sent_again_with_their_tokens_and_everything_completes() {
    let mut world = lost();
    let before = world.published.clone();
    world.redispatch("r", ALL);
    world.settle();
    // The child of `parent` has a task of its own; its start is sent again as well, and begins nothing.
    assert_eq!(sent(&world, "r"), counts(8, 5 + 7 + 1, 1));
    let of = |published: &[warren_broker::Publication]| {
        let items = published.iter().filter(|p| p.message.kind.as_deref() == Some("double"));
        let mut tokens: Vec<_> = items.map(|p| p.message.correlation_id.clone().unwrap()).collect();
        tokens.sort();
        tokens
    };
    let (first, all) = (of(&before), of(&world.published));
    assert!(first.iter().all(|token| all.iter().filter(|again| *again == token).count() == 2), "the same tokens");
    for n in 0..5 {
        assert_eq!(world.outcome(&format!("twice-{n}")), &Ok(json(&(n * 4).to_string())));
    }
    assert_eq!((world.outcome("wide"), world.outcome("parent")), (&Ok(json("42")), &Ok(json("12"))));
    assert_eq!(world.record("adder").status, Status::Running);
}

#[test]
fn a_redispatch_may_name_a_queue_an_instance_or_an_age() {
    async fn other(ctx: Context, n: i64) -> Result<i64, Failure> {
        ctx.call(Activity::<i64, i64>::new("treble"), n).await
    }
    let mut world = World::new(registry().orchestrator(Orchestrator::new("other"), other));
    world.has_workers = false;
    world.start("a", "twice", "1");
    world.start("o", "other", "1");
    world.start("p", "parent", "5");
    world.settle();
    world.wait(100);
    world.start("late", "twice", "1");
    world.settle();
    for (message, what, expected) in [
        ("double", of_queue("double"), counts(3, 3, 0)),
        ("treble", of_queue("treble"), counts(1, 1, 0)),
        ("nothing", of_queue("nothing"), counts(0, 0, 0)),
        ("a", Redispatch { instance: Some(id("a")), ..ALL }, counts(1, 1, 0)),
        ("p", Redispatch { instance: Some(id("p")), ..ALL }, counts(1, 0, 1)),
        ("nobody", Redispatch { instance: Some(id("nobody")), ..ALL }, counts(0, 0, 0)),
        ("old", Redispatch { older_than_seconds: 50, ..of_queue("double") }, counts(2, 2, 0)),
        ("older", Redispatch { older_than_seconds: 500, ..ALL }, counts(0, 0, 0)),
    ] {
        world.redispatch(message, what);
        world.settle();
        assert_eq!(sent(&world, message), expected, "{message}");
    }
}

#[test]
fn h8_a_redispatch_of_what_was_not_lost_completes_no_task_twice() {
    // At every step of some instances' lives.
    let run = |redispatch_at: usize| {
        let mut world = World::new(registry());
        ["twice", "wide", "parent"].iter().for_each(|name| world.start(name, name, "3"));
        let mut steps = 0;
        world.deliver();
        while world.act() || !world.queue.is_empty() {
            steps += 1;
            if steps == redispatch_at {
                world.redispatch("r", ALL);
            }
            world.deliver();
        }
        world.settle();
        if redispatch_at <= steps {
            sent(&world, "r");
        }
        assert_eq!([world.outcome("twice"), world.outcome("parent")], [&Ok(json("12")), &Ok(json("12"))]);
        assert_eq!(world.outcome("wide"), &Ok(json("6")));
        assert!(
            world.shelf.outbox.is_empty() || {
                world.wait(1);
                world.shelf.outbox.is_empty()
            }
        );
        assert_eq!(world.shelf.received, world.shelf.sent);
        for record in world.shelf.instances.values() {
            super::random::check_history(record, &world.shelf.history(record));
        }
        steps
    };
    let steps = run(usize::MAX);
    for at in 1..=steps {
        run(at);
    }
}

#[test]
fn h4_the_end_of_a_child_that_was_lost_is_told_again() {
    let mut world = World::new(registry());
    world.start("parent", "parent", "3");
    // Everything that the partition tells itself is lost once the child has ended.
    while !world.shelf.instances.get(&id("child-3")).is_some_and(|child| child.status == Status::Completed) {
        world.deliver();
        assert!(world.act());
    }
    while world.act() {}
    world.queue.clear();
    assert_eq!(world.record("parent").status, Status::Running);
    // As if the number had been taken: what comes next is not ahead of a gap.
    world.shelf.received.clone_from(&world.shelf.sent);
    world.crash();
    world.settle();
    world.redispatch("r", ALL);
    world.settle();
    assert_eq!(sent(&world, "r"), counts(1, 0, 1));
    assert_eq!((world.outcome("parent"), world.work_items("double")), (&Ok(json("12")), 2));
}

#[test]
fn h12_a_child_that_was_purged_before_its_end_was_heard_fails_its_task_and_does_not_run_again() {
    let mut world = World::new(registry());
    world.start("parent", "parent", "3");
    while !world.shelf.instances.get(&id("child-3")).is_some_and(|child| child.status == Status::Completed) {
        world.deliver();
        assert!(world.act());
    }
    while world.act() {}
    world.queue.clear();
    world.shelf.received.clone_from(&world.shelf.sent);
    world.crash();
    world.send("child-3", "p", Command::Purge { execution: None });
    world.settle();
    world.redispatch("r", ALL);
    world.settle();
    assert_eq!(world.outcome("parent").as_ref().unwrap_err().code, "purged");
    assert_eq!(world.work_items("double"), 2);
}

#[test]
fn h6_what_the_broker_does_not_take_is_sent_until_it_does() {
    let mut world = lost();
    world.broker_says = [Published::Refused("full".into()), Published::Returned].into();
    world.redispatch("r", of_queue("double"));
    world.settle();
    assert!(world.told("r").is_empty());
    (0..4).for_each(|_| world.wait(1));
    assert_eq!(sent(&world, "r").tasks, 13);
    assert_eq!(world.outcome("wide"), &Ok(json("42")));
}

#[test]
fn who_asks_again_is_told_the_same_and_after_a_failover_it_is_done_anew() {
    let mut world = lost();
    world.has_workers = false;
    world.redispatch("r", ALL);
    world.redispatch("r", ALL);
    world.settle();
    assert_eq!(world.told("r").len(), 1);
    world.redispatch("r", ALL);
    world.settle();
    assert!(matches!(world.told("r")[..], [first, second] if first == second));
    let items = world.work_items("double");
    world.crash();
    world.redispatch("r", ALL);
    world.deliver();
    world.crash();
    world.redispatch("r", ALL);
    world.settle();
    assert_eq!((world.told("r").len(), world.work_items("double")), (3, items + 13));
}

#[test]
fn orders_wait_for_each_other_up_to_a_number_and_nothing_is_unacknowledged_meanwhile() {
    let mut world = lost();
    for n in 0..21 {
        world.redispatch(&format!("r{n}"), of_queue("double"));
    }
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Publish { ticket: Ticket::Redispatch, .. })) {}
    assert!(world.unacked.is_empty());
    assert!(matches!(world.told("r20")[..], [ClientReply::Refused(_)]));
    world.settle();
    assert_eq!(sent(&world, "r0").tasks, 13);
    (1..20).for_each(|n| assert!(sent(&world, &format!("r{n}")).tasks <= 13));
}

#[test]
fn a_drain_does_not_wait_for_a_redispatch() {
    let mut world = lost();
    world.broker_says = [Published::Refused("full".into())].into();
    world.redispatch("r", ALL);
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Publish { ticket: Ticket::Redispatch, .. })) {}
    world.input(Input::Drain);
    world.settle();
    assert!(world.is_drained);
}

#[test]
fn instances_that_ended_long_ago_go_by_themselves() {
    let day = SignedDuration::from_hours(24);
    let settings = Settings { purge_after: Some(day), ..Settings::default() };
    let mut world = World::with(registry(), settings);
    for n in 0..7 {
        world.start(&format!("old-{n}"), "twice", "1");
    }
    world.start("runs", "adder", "0");
    world.settle();
    world.wait(day.as_secs() - 100);
    world.start("young", "twice", "1");
    world.settle();
    (0..100).for_each(|_| world.wait(100));
    let left: Vec<_> = world.shelf.instances.keys().map(|id| id.as_str()).collect();
    assert_eq!(left, ["runs", "young"]);
    let executions: Vec<_> = world.shelf.instances.values().map(|record| record.execution).collect();
    assert!(world.shelf.turns.keys().all(|key| executions.contains(&key.execution)));
    // The same start begins nothing for as long as it is known.
    world.start("old-3", "twice", "1");
    world.settle();
    assert!(matches!(world.told("start-old-3")[1], ClientReply::Refused(_)));
}

#[test]
fn an_id_that_is_used_anew_is_not_taken_for_what_ended_long_ago() {
    let day = SignedDuration::from_hours(24);
    let mut world = World::with(registry(), Settings { purge_after: Some(day), ..Settings::default() });
    world.start("a", "twice", "1");
    world.settle();
    world.second += day.as_secs() + 10;
    world.input(Input::Tick);
    assert!(world.act_on(|effect| matches!(effect, Effect::Sweep(_))), "it is found, and waits for its batch");
    let Command::Start(request) = super::world::start("adder", "0") else { unreachable!() };
    let if_exists = warren_model::IfExists::ReplaceEnded;
    world.send("a", "new", Command::Start(warren_model::StartRequest { if_exists, ..request }));
    world.settle();
    assert!(world.shelf.instances.get(&id("a")).is_none_or(|record| record.start_id.as_str() == "new"));
    (0..3).for_each(|_| world.wait(1));
    assert_eq!(world.record("a").status, Status::Running);
}

#[test]
fn h18_a_redispatch_leaves_a_quarantined_task_to_the_resume_of_its_instance() {
    let mut world = lost();
    world.wait(1); // the outbox is cleared: the next owner publishes nothing of it
    let record = world.record("twice-1").clone();
    let row = TaskNote {
        count: 5,
        quarantine: Some("it took five workers down".into()),
        ..TaskNote::new(record.id.clone(), record.execution, warren_model::ActionId(1), 1, "double".into())
    };
    world.shelf.task_notes.insert((record.id.clone(), row.id), row);
    world.crash();
    world.redispatch("r", ALL);
    world.settle();
    assert_eq!(sent(&world, "r").tasks, 12, "one less than are open");
    assert_eq!(world.record("twice-1").status, Status::Running);
    world.send("twice-1", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.outcome("twice-1"), &Ok(json("4")));
}

/// Found by the simulation: until the commit is written that ended the wait, a successor may wait again.
#[test]
fn h4_a_redispatch_is_done_once_what_it_left_out_is_written() {
    let mut world = World::new(registry());
    world.has_workers = false;
    world.start("a", "twice", "1");
    world.settle();
    world.send("a", "stop", Command::Terminate { reason: None, recursive: true });
    world.redispatch("r", ALL);
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Commit(_))) {}
    assert!(world.told("r").is_empty(), "nobody is told before the end is written");
    world.crash();
    assert!(!world.record("a").status.is_terminal(), "the end was never written");
    world.settle();
    assert!(world.record("a").status.is_terminal(), "both came again");
    world.redispatch("again", ALL);
    world.settle();
    assert_eq!(sent(&world, "again"), counts(0, 0, 0));
}
