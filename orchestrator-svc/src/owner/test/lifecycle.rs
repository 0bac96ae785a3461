//! Instances that can't run, and commands that change what they may.

use warren::{Activity, Context, Failure, Orchestrator, Registry};
use warren_broker::ClientReply;
use warren_model::{AnswerWhen, Command, ConditionKind, RefusalCode, Status};

use super::{
    super::Input,
    DOUBLE, registry,
    world::{World, json, start},
};

fn raise(keep_unseen: bool) -> Command {
    Command::Raise { event: "go".into(), input: json("1"), keep_unseen }
}

#[test]
fn a_suspended_instance_keeps_what_arrives_and_runs_it_when_it_resumes() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.send("a", "s", Command::Suspend { reason: Some("lunch".into()) });
    world.send("a", "r1", raise(false));
    world.send("a", "r2", raise(false));
    world.settle();
    assert_eq!((world.record("a").status, world.shelf.pending.len()), (Status::Suspended, 2));
    assert!(world.unacked.is_empty(), "nothing stays unacknowledged on its account");
    world.crash();
    world.settle();
    world.send("a", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("2")));
    assert!(world.shelf.pending.is_empty());
}

#[test]
fn h10_an_event_for_an_instance_that_nobody_has_seen_waits_for_it_or_its_sender_is_told() {
    let mut world = World::new(registry());
    world.send("a", "r1", raise(true));
    world.send("a", "r2", raise(false));
    world.settle();
    assert!(matches!(&world.told("r2")[..], [ClientReply::Refused(r)] if r.code == RefusalCode::NotFound));
    world.crash();
    world.start("a", "adder", "0");
    world.send("a", "r3", raise(true));
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("2")));
    world.send("a", "r4", raise(false));
    world.settle();
    assert!(matches!(&world.told("r4")[..], [ClientReply::Refused(r)] if r.code == RefusalCode::Gone));
}

#[test]
fn h13_a_terminate_ends_an_instance_and_its_children() {
    let mut world = World::new(registry());
    world.start("p", "patient", "1");
    world.settle();
    world.send("p", "t", Command::Terminate { reason: Some("enough".into()), recursive: true });
    world.settle();
    let status = |instance: &str| world.record(instance).status;
    assert_eq!(
        (status("p"), status("along-1"), status("alone-1")),
        (Status::Terminated, Status::Terminated, Status::Running)
    );
    assert_eq!(world.outcome("p").as_ref().unwrap_err().message, "enough");
    assert!(matches!(world.told("t")[..], [ClientReply::Answer(_)]));
}

#[test]
fn h17_an_unknown_orchestrator_waits_visibly_until_an_owner_knows_it() {
    let mut world = World::new(registry());
    world.send("a", "s", start("later", "5"));
    world.send("a", "r1", raise(false));
    world.settle();
    let told = world.told("s");
    let [ClientReply::Answer(answer)] = &told[..] else { panic!("{told:?}") };
    assert!(answer.warning.as_ref().unwrap().contains("later"), "{answer:?}");
    let record = world.record("a");
    assert_eq!(
        (record.status, record.condition.as_ref().unwrap().kind),
        (Status::Pending, ConditionKind::UnknownOrchestrator)
    );
    async fn later(ctx: Context, n: i64) -> Result<i64, Failure> {
        ctx.call(DOUBLE, n).await
    }
    world.crash_with(registry().orchestrator(Orchestrator::new("later"), later));
    world.settle();
    assert_eq!((world.record("a").status, &world.record("a").condition), (Status::Completed, &None));
}

async fn one(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.call(DOUBLE, n).await?;
    ctx.event(super::GO).await?;
    Ok(n)
}

async fn changed(ctx: Context, n: i64) -> Result<i64, Failure> {
    let n = ctx.call(DOUBLE, n + 1).await?;
    ctx.event(super::GO).await?;
    Ok(n)
}

#[test]
fn h17_changed_code_blocks_its_instances_and_putting_it_back_resumes_them() {
    let with = |f| Registry::new().orchestrator(Orchestrator::new("one"), f);
    let mut world = World::new(Registry::new().orchestrator(Orchestrator::new("one"), one));
    world.start("a", "one", "5");
    world.settle();
    world.crash_with(Registry::new().orchestrator(Orchestrator::new("one"), changed));
    world.send("a", "r1", raise(false));
    world.settle();
    let condition = world.record("a").condition.clone().unwrap();
    assert_eq!(condition.kind, ConditionKind::Blocked);
    assert!(condition.message.contains("input: 5 ≠ 6"), "{}", condition.message);
    assert_eq!(world.record("a").status, Status::Running);
    world.crash_with(with(one));
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("10")));
    assert!(world.shelf.pending.is_empty());
}

#[test]
fn h18_a_panic_parks_its_instance_alone_and_resume_tries_again() {
    async fn panics(_: Context, n: i64) -> Result<i64, Failure> {
        assert!(n > 5, "n is {n}");
        Ok(n)
    }
    std::panic::set_hook(Box::new(|_| {}));
    let known = registry().orchestrator(Orchestrator::new("panics"), panics);
    let mut world = World::new(known);
    world.start("bad", "panics", "1");
    world.start("good", "panics", "6");
    world.settle();
    assert_eq!(world.outcome("good"), &Ok(json("6")));
    let condition = world.record("bad").condition.clone().unwrap();
    assert_eq!(condition.kind, ConditionKind::Panicked);
    assert!(condition.message.contains("n is 1"), "{}", condition.message);
    world.send("bad", "resume", Command::Resume { reason: None });
    world.settle();
    assert_eq!(world.record("bad").condition.as_ref().unwrap().kind, ConditionKind::Panicked, "it panics again");
    world.send("bad", "t", Command::Terminate { reason: None, recursive: true });
    world.settle();
    assert_eq!(world.record("bad").status, Status::Terminated);
}

#[test]
fn commands_are_refused_by_name_where_they_make_no_sense() {
    let mut world = World::new(registry());
    world.start("a", "twice", "1");
    world.settle();
    let commands = [
        Command::Suspend { reason: None },
        Command::Resume { reason: None },
        Command::Terminate { reason: None, recursive: true },
    ];
    for (n, command) in commands.into_iter().enumerate() {
        world.send("a", &format!("ended-{n}"), command.clone());
        world.send("nobody", &format!("unseen-{n}"), command);
        world.settle();
        assert!(
            matches!(&world.told(&format!("ended-{n}"))[..], [ClientReply::Refused(r)] if r.code == RefusalCode::Gone)
        );
        assert!(
            matches!(&world.told(&format!("unseen-{n}"))[..], [ClientReply::Refused(r)] if r.code == RefusalCode::NotFound)
        );
    }
    assert_eq!(world.owner.cached_instances(), 0, "nobody stays in memory");
}

#[test]
fn h19_continue_as_new_keeps_one_execution_and_carries_events() {
    let mut world = World::new(registry());
    world.start("c", "countdown", "4");
    world.send("c", "go", raise(false));
    world.settle();
    assert_eq!(world.outcome("c"), &Ok(json("1")));
    world.wait(1);
    world.start("z", "twice", "1");
    world.settle();
    let executions: std::collections::BTreeSet<_> =
        world.shelf.turns.keys().filter(|key| key.instance.as_str() == "c").map(|key| key.execution).collect();
    assert_eq!(executions.len(), 1, "the turns of executions that are over are deleted");
}

#[test]
fn a_task_that_amqp_can_t_carry_fails_and_leaves_nothing_behind_where_nobody_waits_for_it() {
    const ODD: Activity<i64, i64> = Activity::new("no\0good");
    async fn waits(ctx: Context, n: i64) -> Result<i64, Failure> {
        ctx.call(ODD, n).await
    }
    async fn ends(ctx: Context, n: i64) -> Result<i64, Failure> {
        drop(ctx.call(ODD, n));
        Ok(n)
    }
    async fn goes_on(ctx: Context, n: i64) -> Result<i64, Failure> {
        drop(ctx.call(ODD, n));
        if n == 0 { Ok(n) } else { ctx.continue_as_new(n - 1) }
    }
    let known = Registry::new()
        .orchestrator(Orchestrator::new("waits"), waits)
        .orchestrator(Orchestrator::new("ends"), ends)
        .orchestrator(Orchestrator::new("goes_on"), goes_on);
    let mut world = World::new(known);
    ["waits", "ends", "goes_on"].iter().for_each(|name| world.start(name, name, "2"));
    world.settle();
    assert_eq!(world.outcome("waits").as_ref().unwrap_err().code, "unsendable");
    assert_eq!([world.outcome("ends").clone(), world.outcome("goes_on").clone()], [Ok(json("2")), Ok(json("0"))]);
    world.wait(1);
    assert!(world.shelf.pending.is_empty() && world.shelf.outbox.is_empty(), "{:?}", world.shelf.pending);
}

#[test]
fn who_waits_for_an_end_is_passed_on_by_an_owner_that_drains() {
    let mut world = World::new(registry());
    world.start("a", "adder", "0");
    world.settle();
    world.send_when("a", "waiter", Command::Wait, AnswerWhen::Outcome);
    world.settle();
    world.input(Input::Drain);
    while !world.is_drained {
        assert!(world.act(), "it drains");
    }
    assert_eq!(world.queue.len(), 1, "one ask for the next owner");
    world.end_session();
    for n in [2, 3] {
        let raise = Command::Raise { event: "go".into(), input: json(&n.to_string()), keep_unseen: false };
        world.send("a", &format!("r{n}"), raise);
    }
    world.settle();
    let told = world.told("waiter");
    assert!(matches!(told[..], [ClientReply::Outcome { outcome: Ok(sum), .. }] if *sum == json("5")), "{told:?}");
}
