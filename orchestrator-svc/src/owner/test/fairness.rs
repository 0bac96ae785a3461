//! Floods: of messages, of instances that go on at once, of events.

use warren::{Context, Failure, Orchestrator};
use warren_broker::{Address, ClientReply};
use warren_model::{Command, RefusalCode, Status};

use super::{
    super::*,
    registry,
    world::{World, json, time},
};

fn raise(n: &str) -> Command {
    Command::Raise { event: "go".into(), input: json(n), keep_unseen: false }
}

#[test]
fn h11_timers_and_instances_that_can_go_on_are_not_kept_waiting_by_a_flood_of_messages() {
    let mut world = World::with(registry(), Settings { batch: 10, ..Settings::default() });
    world.start("f", "adder", "0");
    world.start("s", "sleeper", "5");
    world.start("a", "adder", "0");
    world.send("a", "suspend", Command::Suspend { reason: None });
    world.send("a", "r1", raise("1"));
    world.send("a", "r2", raise("2"));
    world.settle();
    world.send("f", "suspend-f", Command::Suspend { reason: None });
    world.settle();
    world.second += 5;
    world.send("a", "resume", Command::Resume { reason: None });
    for n in 0..1_000 {
        world.send("f", &format!("x{n}"), raise("0"));
    }
    world.deliver();
    let mut commits = 0;
    while world.told("start-s").is_empty() || world.told("start-a").is_empty() {
        commits += usize::from(matches!(world.effects.front(), Some(Effect::Commit(_))));
        assert!(world.act() && commits < 10, "{commits} batches of a hundred");
    }
}

async fn spin(ctx: Context, n: i64) -> Result<i64, Failure> {
    if n == 0 { Ok(n) } else { ctx.continue_as_new(n - 1) }
}

#[test]
fn an_instance_that_goes_on_at_once_keeps_no_other_waiting() {
    let known = registry().orchestrator(Orchestrator::new("spin"), spin);
    let mut world = World::with(known, Settings { batch: 3, ..Settings::default() });
    for name in ["a", "b", "c"] {
        world.start(name, "spin", "300");
    }
    world.start("z", "spin", "3");
    world.deliver();
    while world.told("start-z").is_empty() {
        assert!(world.act());
    }
    assert!(["a", "b", "c"].iter().all(|name| world.record(name).status != Status::Completed));
    world.settle();
    assert!(["a", "b", "c"].iter().all(|name| world.record(name).status == Status::Completed));
}

#[test]
fn an_instance_that_can_t_run_keeps_only_so_many_events_whoever_sends_them() {
    let mut world = World::with(registry(), Settings { mailbox_messages: 3, ..Settings::default() });
    world.start("x", "adder", "0");
    world.send("x", "suspend", Command::Suspend { reason: None });
    world.settle();
    world.start("r", "relay", "4");
    world.settle();
    world.send("x", "one-more", raise("7"));
    world.settle();
    assert_eq!(world.shelf.pending.len(), 3);
    assert!(matches!(&world.told("one-more")[..], [ClientReply::Refused(r)] if r.code == RefusalCode::TooLarge));
    let dead: Vec<_> = world.published.iter().filter(|p| p.to == Address::Queue("t.dead".into())).collect();
    let bodies: Vec<_> = dead.iter().map(|p| String::from_utf8_lossy(&p.message.body).into_owned()).collect();
    assert_eq!(bodies, ["1", "0", "7"], "nothing is dropped in silence");
    world.wait(1);
    assert!(world.shelf.outbox.is_empty());
}

#[test]
fn a_drain_ends_after_the_last_answer_is_published() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.wait(1);
    world.send("a", "r1", raise("1"));
    world.deliver();
    world.input(Input::Drain);
    while !matches!(world.effects.front(), Some(Effect::Publish { ticket: Ticket::Answers, .. })) {
        assert!(world.act());
    }
    let answers = world.effects.pop_front().unwrap();
    while world.act() {}
    assert!(!world.is_drained, "its answer is not published yet");
    let published = world.carry_out(answers).unwrap();
    world.input(published);
    while world.act() {}
    assert!(world.is_drained);
}

#[test]
fn a_batch_begins_beside_another_only_if_it_is_worth_a_commit_of_its_own() {
    let mut world = World::new(registry());
    world.owner.settings.overlap_min = 3;
    world.start("first", "adder", "1");
    world.deliver();
    while world.owner.flights.is_empty() {
        assert!(world.act(), "the first is written in the end");
    }
    for (count, begins) in [(1, false), (2, false), (3, true)] {
        world.start(&format!("i{count}"), "adder", "1");
        world.deliver();
        assert_eq!(world.owner.awaited().is_some(), begins, "{count} wait");
    }
    world.settle();
    assert_eq!(world.record("i3").status, Status::Running);
}

#[test]
fn a_step_runs_one_batch_so_that_its_commit_can_be_sent_while_the_next_one_runs() {
    let mut world = World::with(registry(), Settings { batch: 2, ..Settings::default() });
    world.wait(60); // a young session believes nobody
    for n in 0..5 {
        world.start_fresh(&format!("i{n}"), &format!("m{n}"), "adder", "1");
    }
    let deliveries = world.take_deliveries(usize::MAX);
    let mut sent = Vec::new();
    for has_more in [true, false] {
        let (mut effects, input) =
            (Vec::new(), if has_more { Input::Delivered(deliveries.clone()) } else { Input::Tick });
        world.owner.step(input, time(world.second), &mut effects);
        let commits = effects.iter().filter(|effect| matches!(effect, Effect::Commit(_))).count();
        assert_eq!((commits, world.owner.has_more()), (1, has_more), "two commits are under way at most");
        sent.extend(effects);
    }
    world.effects.extend(sent);
    world.settle();
    assert_eq!(world.record("i4").status, Status::Running);
}
