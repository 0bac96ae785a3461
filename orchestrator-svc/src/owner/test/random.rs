//! Whole lives of many instances under everything that may go wrong, by seed. A seed that fails is printed: run it alone
//! with `WARREN_SEED=17 cargo test -p orchestrator-svc random`; many are `WARREN_SEED=25..4000`.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use warren::{Context, Failure, Orchestrator, Registry, RetryPolicy};
use warren_broker::ClientReply;
use warren_engine::{Identity, Programs, replay};
use warren_model::{ActionId, AnswerWhen, Command, Event, InstanceRecord, Outcome, Status, TurnRecord};

use super::{
    super::*,
    DOUBLE, registry,
    sim::Sim,
    world::{World, id, json, start},
};

thread_local! {
    static IS_ILL: Cell<bool> = const { Cell::new(false) };
}

/// Panics while it is ill, before or after its task.
async fn moody(ctx: Context, n: i64) -> Result<i64, Failure> {
    assert!(!IS_ILL.get(), "ill at first");
    let n = ctx.call(DOUBLE, n).await?;
    assert!(!IS_ILL.get(), "ill at last");
    Ok(n)
}

/// Fails, after a task.
async fn failing(ctx: Context, n: i64) -> Result<i64, Failure> {
    ctx.call(DOUBLE, n).await?;
    Err(Failure::new("always", "it fails"))
}

/// Tries a child that fails three times, under one id; gives what is left of the tries.
async fn persistent(ctx: Context, n: i64) -> Result<i64, Failure> {
    let child = ctx.orchestrator(Orchestrator::<i64, i64>::new("failing")).id(format!("failing-{n}"));
    match child.retry(RetryPolicy::times(3)).call(n).await {
        Err(failure) if failure.code == "always" => Ok(n),
        other => other,
    }
}

fn everything() -> Registry {
    registry()
        .orchestrator(Orchestrator::new("moody"), moody)
        .orchestrator(Orchestrator::new("failing"), failing)
        .orchestrator(Orchestrator::new("persistent"), persistent)
}

/// One instance that the clients start, what else they send it, and how it ends if nobody ends it.
struct Case {
    name: String,
    orchestrator: &'static str,
    input: i64,
    events: Vec<i64>,
    outcome: i64,
    /// Its children; the first is abandoned when it ends.
    children: Vec<String>,
}

fn cases() -> Vec<Case> {
    let case = |orchestrator: &'static str, input: i64, events: &[i64], outcome| Case {
        name: format!("{orchestrator}-{input}"),
        orchestrator,
        input,
        events: events.to_vec(),
        outcome,
        children: Vec::new(),
    };
    let mut cases = Vec::new();
    for n in 1..4 {
        cases.extend([
            case("twice", n, &[], n * 4),
            case("wide", n + 3, &[], (n + 3) * (n + 2)),
            case("sleeper", n * 40, &[], n * 40),
            case("adder", n, &[1, 10], 11),
            case("parent", n, &[], n * 4),
            case("countdown", n, &[n], n),
            case("moody", n, &[], n * 2),
            case("persistent", n, &[], n),
            Case { children: ["alone", "along"].map(|c| format!("{c}-{n}")).into(), ..case("patient", n, &[], 1_100) },
        ]);
    }
    cases.push(case("relay", 3, &[], 0));
    cases.push(Case { name: "x".into(), ..case("adder", 9, &[], 5) }); // 3 and 2, in this order, from the relay
    cases
}

/// The clients: start everything, send every event, and now and then suspend, resume, end or wait.
/// Events for instances that nobody ever starts.
const GHOSTS: std::ops::Range<i64> = 7_000..7_008;

struct Clients {
    todo: Vec<(String, String, Command, AnswerWhen)>,
    ended: BTreeSet<String>,
    count: usize,
}

impl Clients {
    fn new(sim: &mut Sim, cases: &[Case]) -> Self {
        let mut todo = Vec::new();
        let raise = |n: i64| Command::Raise { event: "go".into(), input: json(&n.to_string()), keep_unseen: true };
        for Case { name, orchestrator, input, events, children, .. } in cases {
            let command = start(orchestrator, &input.to_string());
            todo.push((name.clone(), format!("start-{name}"), command, AnswerWhen::Outcome));
            for event in events {
                todo.push((name.clone(), format!("raise-{name}-{event}"), raise(*event), AnswerWhen::Accepted));
            }
            for (child, values) in children.iter().zip([[100, 200], [300, 500]]) {
                let raise = |n| (child.clone(), format!("raise-{child}-{n}"), raise(n), AnswerWhen::Accepted);
                todo.extend(values.map(raise));
            }
        }
        for n in GHOSTS {
            todo.push((format!("ghost-{}", n % 4), format!("raise-ghost-{n}"), raise(n), AnswerWhen::Accepted));
        }
        for at in (1..todo.len()).rev() {
            todo.swap(at, sim.random.below(at + 1));
        }
        Self { todo, ended: BTreeSet::new(), count: 0 }
    }

    fn act(&mut self, sim: &mut Sim, cases: &[Case]) {
        if let Some((instance, message_id, command, when)) = self.todo.pop() {
            sim.send(&instance, &message_id, command, when);
        }
        let case = &cases[sim.random.below(cases.len())];
        self.count += 1;
        let message_id = format!("c{}", self.count);
        let (reason, recursive) = (None, true);
        let command = match sim.random.below(12) {
            0 | 1 => Command::Suspend { reason },
            2 | 3 => Command::Resume { reason },
            4 => Command::Wait,
            5 if case.orchestrator != "relay" && case.name != "x" && sim.random.one_in(4) => {
                self.ended.insert(case.name.clone());
                Command::Terminate { reason, recursive }
            }
            _ => return,
        };
        sim.send(&case.name, &message_id, command, AnswerWhen::Accepted);
    }

    /// Lets everything go on that may.
    fn resume(&mut self, sim: &mut Sim, cases: &[Case]) {
        let names = cases.iter().flat_map(|case| std::iter::once(&case.name).chain(&case.children));
        // Crashes are so many here that the innocent may end in quarantine.
        let parked = sim.worlds().flat_map(|world| world.shelf.instances.values()).filter(|it| it.condition.is_some());
        let all: BTreeSet<String> = names.cloned().chain(parked.map(|record| record.id.to_string())).collect();
        for name in all {
            self.count += 1;
            sim.send(&name, &format!("c{}", self.count), Command::Resume { reason: None }, AnswerWhen::Accepted);
        }
    }
}

fn run(seed: u64) -> u64 {
    let settings = Settings {
        batch: 1 + usize::try_from(seed % 7).unwrap(),
        cache_instances: 1 + usize::try_from(seed % 5).unwrap(),
        timers_max: 2 + usize::try_from(seed % 3).unwrap(),
        ..Settings::default()
    };
    let partitions = 1 + u16::try_from(seed % 3).unwrap();
    let mut sim = Sim::new(seed, partitions, &everything(), settings);
    let cases = cases();
    let mut clients = Clients::new(&mut sim, &cases);
    for round in 0..300 {
        clients.act(&mut sim, &cases);
        for _ in 0..sim.random.below(30) {
            sim.step();
        }
        if sim.random.one_in(4) {
            let seconds = i64::try_from(sim.random.below(4)).unwrap();
            sim.pass(seconds);
        }
        IS_ILL.set(sim.random.one_in(3));
        if round % 60 == 30 {
            let known = if sim.random.one_in(2) { everything() } else { registry() };
            sim.deploy(&known);
        }
    }
    IS_ILL.set(false);
    sim.is_rough = false;
    sim.deploy(&everything());
    for round in 0..40 {
        if round < 3 {
            settle(&mut sim);
            clients.resume(&mut sim, &cases);
        }
        sim.pass(10);
        settle(&mut sim);
    }
    for _ in 0..10 {
        sim.pass(1_000);
        settle(&mut sim);
    }
    check(&sim, &cases, &clients.ended);
    sim.trace()
}

fn settle(sim: &mut Sim) {
    let mut idle = 0;
    for _ in 0..200_000 {
        idle = if sim.step() { 0 } else { idle + 1 };
        if idle > 20 && sim.is_quiet() {
            return;
        }
    }
    panic!("the hub never comes to rest");
}

fn check(sim: &Sim, cases: &[Case], ended: &BTreeSet<String>) {
    for case in cases {
        let record = record(sim, &case.name);
        let outcome = Ok(json(&case.outcome.to_string()));
        let told: Vec<&Outcome> = sim.replies.iter().filter_map(|reply| outcome_for(reply, &case.name)).collect();
        assert!(!told.is_empty(), "{} was told nothing: {record:?}", case.name);
        assert!(told.iter().all(|outcome| *outcome == told[0]), "{}: {told:?}", case.name);
        match record.status {
            Status::Completed => assert_eq!(told[0], &outcome, "{}", case.name),
            Status::Terminated if ended.contains(&case.name) => {
                assert_eq!(told[0].as_ref().unwrap_err().code, "terminated")
            }
            status @ (Status::Pending | Status::Running | Status::Suspended | Status::Failed | Status::Terminated) => {
                panic!("{} is {status}: {:?}", case.name, record.condition)
            }
        }
        for child in &case.children {
            let status = sim.world_of(&id(child)).shelf.instances.get(&id(child)).map(|record| record.status);
            let may_lack = record.status == Status::Terminated;
            assert!(status.map_or(may_lack, Status::is_terminal), "{child} is {status:?}");
        }
    }
    for ghost in GHOSTS {
        assert!(sim.dead.contains(&ghost.to_string()), "an event that nobody came for is lost: {ghost}");
    }
    sim.worlds().for_each(|world| check_world(world, sim));
    for (from, world) in sim.worlds().enumerate() {
        for (to, other) in sim.worlds().enumerate() {
            let of = |numbers: &BTreeMap<Partition, u64>, at: usize| {
                numbers.get(&Partition(u16::try_from(at).unwrap())).copied().unwrap_or_default()
            };
            assert_eq!(of(&world.shelf.sent, to), of(&other.shelf.received, from), "from {from} to {to}");
        }
    }
}

fn check_world(world: &World, sim: &Sim) {
    let shelf = &world.shelf;
    assert!(shelf.pending.is_empty() && shelf.timers.is_empty(), "{:?} {:?}", shelf.pending, shelf.timers);
    assert!(shelf.outbox.is_empty() && shelf.aside.is_empty(), "{:?} {:?}", shelf.outbox, shelf.aside);
    assert!(world.unacked.is_empty() && world.owner.wakes_at() > sim.now());
    assert!(world.owner.answered.is_empty() && world.owner.flights.is_empty());
    for key in shelf.turns.keys() {
        assert_eq!(key.execution, shelf.instances[&key.instance].execution, "turns of {} are left", key.instance);
    }
    for record in shelf.instances.values() {
        check_history(record, &shelf.history(record));
    }
}

/// Each task and timer ends at most once, and the code still does what history says.
pub(crate) fn check_history(record: &InstanceRecord, turns: &[TurnRecord]) {
    assert_eq!(turns.len(), usize::try_from(record.turn).unwrap(), "{record:?}");
    let (mut open, mut last) = (BTreeSet::new(), Timestamp::MIN);
    for event in turns.iter().flat_map(|turn| &turn.events) {
        if let Event::OrchestratorStarted(started) = event {
            assert!(started.at >= last, "the clock goes back: {turns:?}");
            last = started.at;
        }
        if let Some(id) = opens(event) {
            assert!(open.insert(id), "{id} is asked for twice: {turns:?}");
        }
        if let Some(id) = closes(event) {
            assert!(open.remove(&id), "{id} ends twice: {turns:?}");
        }
    }
    let identity = Identity {
        instance: record.id.clone(),
        execution: record.execution,
        name: record.name.clone(),
        version: record.version.clone(),
    };
    let before_its_end = &turns[..turns.len().saturating_sub(usize::from(record.status.is_terminal()))];
    replay(everything().create(&identity).unwrap().as_mut(), before_its_end).unwrap();
}

fn opens(event: &Event) -> Option<ActionId> {
    if let Event::TaskScheduled(task) = event {
        Some(task.id)
    } else if let Event::TimerCreated(timer) = event {
        Some(timer.id)
    } else if let Event::SubOrchestrationInstanceCreated(child) = event {
        Some(child.id)
    } else {
        None
    }
}

fn closes(event: &Event) -> Option<ActionId> {
    if let Event::TaskCompleted { id, .. }
    | Event::TaskFailed { id, .. }
    | Event::SubOrchestrationInstanceCompleted { id, .. }
    | Event::SubOrchestrationInstanceFailed { id, .. }
    | Event::TimerFired { id }
    | Event::TimerCanceled { id } = event
    {
        Some(*id)
    } else {
        None
    }
}

fn record<'a>(sim: &'a Sim, name: &str) -> &'a InstanceRecord {
    let found = sim.world_of(&id(name)).shelf.instances.get(&id(name));
    found.unwrap_or_else(|| panic!("{name} was never started"))
}

fn outcome_for<'a>((correlation, reply): &'a (String, ClientReply), name: &str) -> Option<&'a Outcome> {
    match reply {
        ClientReply::Outcome { outcome, .. } if *correlation == format!("start-{name}") => Some(outcome),
        ClientReply::Outcome { .. }
        | ClientReply::Stored { .. }
        | ClientReply::Answer(_)
        | ClientReply::Refused(_)
        | ClientReply::Redispatched(_)
        | ClientReply::Awaited(_) => None,
    }
}

fn seeds() -> Vec<u64> {
    match std::env::var("WARREN_SEED") {
        Ok(text) => match text.split_once("..") {
            Some((first, last)) => (first.parse().unwrap()..last.parse().unwrap()).collect(),
            None => vec![text.parse().unwrap()],
        },
        Err(_) => (0..25).collect(),
    }
}

#[test]
fn every_instance_ends_as_it_should_whatever_goes_wrong() {
    std::panic::set_hook(Box::new(|_| {}));
    for seed in seeds() {
        let run = std::panic::catch_unwind(|| run(seed));
        if let Err(panic) = run {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            drop(std::panic::take_hook()); // else nobody sees this
            panic!("seed {seed}: {}", text.unwrap_or_default());
        }
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    std::panic::set_hook(Box::new(|_| {}));
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
