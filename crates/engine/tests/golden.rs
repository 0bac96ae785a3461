//! Histories that were recorded once and must replay for ever: whoever breaks one has broken instances in the field.
//!
//! The orchestrators here are frozen with them. A new feature gets a new orchestrator and a new file: run this test with
//! `WARREN_GOLDEN=write` to record what is missing; a file that exists is never written again.
#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use warren::{
    Activity, Context, Event, Failure, First, Orchestrator, Priority, Registry, RetryPolicy, Second, all, days,
    minutes, race, seconds, settled, test::Hub,
};
use warren_engine::{Identity, Programs, replay};
use warren_model::{Event as Happened, ExecutionId, InstanceId, TurnRecord};

const DOUBLE: Activity<u64, u64> = Activity::new("double");
const FLAKY: Activity<String, u64> = Activity::new("flaky").queue("shaky");
const GO: Event<u64> = Event::new("go");
const CHAIN: Orchestrator<u64, u64> = Orchestrator::new("chain");
const CHILD: Orchestrator<u64, u64> = Orchestrator::new("child");
const EVERYTHING: Orchestrator<u64, u64> = Orchestrator::new("everything").version("1");
const PREFERRED: Orchestrator<u64, u64> = Orchestrator::new("preferred");
const COUNTDOWN: Orchestrator<u64, u64> = Orchestrator::new("countdown");

async fn chain(ctx: Context, n: u64) -> Result<u64, Failure> {
    let n = ctx.call(DOUBLE, n).await?;
    let n = ctx.call(DOUBLE, n).await?;
    ctx.call(DOUBLE, n).await
}

async fn child(ctx: Context, n: u64) -> Result<u64, Failure> {
    ctx.timer(seconds(5)).await;
    if n > 100 { Err(Failure::permanent("too_much", "n is above 100")) } else { Ok(n + 1) }
}

/// Uses whatever an execution's history depends on: ids, times, random numbers, orders of completion.
async fn everything(ctx: Context, n: u64) -> Result<u64, Failure> {
    ctx.set_custom_status("begun")?;
    let squares = all((0..n).map(|i| ctx.call(DOUBLE, i))).await?;
    let drawn = (ctx.random_in(0..1_000), ctx.uuid(), ctx.now());
    let retried = ctx.activity(FLAKY).retry(RetryPolicy::times(4)).call(format!("{drawn:?}")).await?;
    let raced = match race(ctx.event(GO), ctx.timer(days(30))).await {
        First(go) => go?,
        Second(()) => 0,
    };
    let late = ctx.event(GO).within(minutes(1)).await?.unwrap_or(7);
    let good = ctx.orchestrator(CHILD).call(n);
    let bad =
        ctx.orchestrator(CHILD).id(format!("{}-bad", ctx.instance())).retry(RetryPolicy::times(2)).call(n * 1_000);
    let children = settled([good, bad]).await;
    ctx.send_event("somebody", GO, n)?;
    let failed = children.iter().filter(|child| child.is_err()).count() as u64;
    Ok(squares.iter().sum::<u64>() + retried + raced + late + failed)
}

async fn countdown(ctx: Context, n: u64) -> Result<u64, Failure> {
    let go = ctx.event(GO).await?;
    let doubled = ctx.call(DOUBLE, go).await?;
    if n == 0 { Ok(doubled) } else { ctx.continue_as_new(n - 1) }
}

/// Uses what says where a task waits.
async fn preferred(ctx: Context, n: u64) -> Result<u64, Failure> {
    let high = ctx.activity(DOUBLE).key("acme").priority(Priority::High).call(n).await?;
    ctx.activity(DOUBLE).priority(Priority::Low).call(high).await
}

fn registry() -> Registry {
    Registry::new()
        .orchestrator(CHAIN, chain)
        .orchestrator(CHILD, child)
        .orchestrator(EVERYTHING, everything)
        .orchestrator(COUNTDOWN, countdown)
        .orchestrator(PREFERRED, preferred)
}

/// One execution as a file holds it.
#[derive(Serialize, Deserialize)]
struct Golden {
    orchestrator: String,
    version: Option<String>,
    instance: InstanceId,
    execution: ExecutionId,
    turns: Vec<TurnRecord>,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"))
}

/// Runs an orchestration in the test hub and records its last execution, unless its file exists.
fn record(name: &str, orchestrator: Orchestrator<u64, u64>, input: u64, version: Option<&str>, events: &[u64]) {
    let mut calls = 0;
    let hub = Hub::new(registry()).mock(DOUBLE, |n| Ok(n * 2)).mock(FLAKY, move |_| {
        calls += 1;
        if calls < 3 { Err(Failure::new("shaken", "not yet")) } else { Ok(1) }
    });
    let handle = hub.start_as(name, orchestrator, input);
    events.iter().for_each(|event| handle.raise(GO, *event));
    warren::test::block_on(handle.wait()).unwrap();
    let golden = Golden {
        orchestrator: orchestrator.name().into(),
        version: version.map(Into::into),
        instance: InstanceId::new(name).unwrap(),
        execution: handle.execution(),
        turns: turns(&handle.history()),
    };
    let text = serde_json::to_string_pretty(&golden).unwrap();
    fs::write(path(name), text + "\n").unwrap();
}

/// A turn begins with its `OrchestratorStarted`.
fn turns(events: &[Happened]) -> Vec<TurnRecord> {
    let begins = |event: &Happened| matches!(event, Happened::OrchestratorStarted(_));
    events.chunk_by(|_, next| !begins(next)).map(|turn| TurnRecord::new(turn.to_vec())).collect()
}

/// Replays every beginning of a recorded history, and writes it back byte for byte.
fn check(name: &str, orchestrator: Orchestrator<u64, u64>, input: u64, version: Option<&str>, events: &[u64]) {
    if !path(name).exists() && std::env::var("WARREN_GOLDEN").is_ok_and(|value| value == "write") {
        record(name, orchestrator, input, version, events);
    }
    let text = fs::read_to_string(path(name)).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string_pretty(&golden).unwrap() + "\n", text, "{name} is written as it was read");
    let Golden { orchestrator, version, instance, execution, turns } = golden;
    let identity = Identity { instance, execution, name: orchestrator, version };
    let ended = |turn: &TurnRecord| turn.events.iter().any(|event| matches!(event, Happened::ExecutionCompleted(_)));
    assert!(turns.last().is_some_and(ended) && turns.len() > 1, "{name} holds a whole execution");
    for count in 0..turns.len() {
        let mut program = registry().create(&identity).unwrap();
        if let Err(divergence) = replay(program.as_mut(), &turns[..count]) {
            panic!("{name} no longer replays: {}", divergence.condition(&identity.name).message);
        }
    }
}

#[test]
fn h17_a_chain_replays_for_ever() {
    check("chain", CHAIN, 3, None, &[]);
}

#[test]
fn h17_everything_replays_for_ever() {
    check("everything", EVERYTHING, 5, Some("1"), &[40]);
}

#[test]
fn h17_a_continued_execution_replays_for_ever() {
    check("countdown", COUNTDOWN, 2, None, &[1, 2, 3]);
}

#[test]
fn h17_keys_and_priorities_replay_for_ever() {
    check("preferred", PREFERRED, 3, None, &[]);
}
