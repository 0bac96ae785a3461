//! A trace goes from an instance's start through everything that the instance asks for.

use std::collections::BTreeSet;

use warren_broker::HeaderValue;
use warren_model::{
    ActionId, AnswerWhen, Command, ExecutionId, TraceContext, execution_id,
    trace::{action_span, execution_span, turn_span},
};
use warren_service::traces::Span;

use super::{
    super::{Effect, Settings},
    registry,
    world::{World, id, json, start, time},
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Starts an instance in the trace.
fn traced(world: &mut World, instance: &str, name: &str, input: &str) {
    let Command::Start(mut request) = start(name, input) else { unreachable!("it is a start") };
    request.traceparent = Some(TRACE.into());
    world.send_when(instance, &format!("start-{instance}"), Command::Start(request), AnswerWhen::Outcome);
}

fn execution(instance: &str) -> ExecutionId {
    execution_id(&id(instance), &format!("start-{instance}"))
}

/// What an action of an execution is asked for under.
fn under(execution: ExecutionId, action: u32) -> String {
    let trace: TraceContext = TRACE.parse().unwrap();
    trace.under(action_span(execution, ActionId(action), 1)).to_string()
}

/// The traces of the work items that were published.
fn traceparents(world: &World) -> Vec<Option<String>> {
    let items = world.published.iter().filter(|publication| publication.message.kind.as_deref() == Some("double"));
    let trace = |value: &HeaderValue| if let HeaderValue::Text(text) = value { Some(text.to_string()) } else { None };
    items.map(|publication| publication.message.headers.get("traceparent").and_then(trace)).collect()
}

#[test]
fn work_items_are_in_the_trace_of_their_instance_and_those_of_others_in_none() {
    let mut world = World::new(registry());
    traced(&mut world, "a", "twice", "1");
    world.settle();
    let of = execution("a");
    assert_eq!(traceparents(&world), [Some(under(of, 1)), Some(under(of, 2))]);
    world.start("b", "twice", "1");
    world.settle();
    assert_eq!(traceparents(&world)[2..], [None, None]);
}

#[test]
fn a_child_continues_the_trace_of_its_parent() {
    let mut world = World::new(registry());
    traced(&mut world, "p", "parent", "1");
    world.settle();
    let child = &world.record("child-1");
    assert_eq!(traceparents(&world)[0], Some(under(child.execution, 1)));
    let started = &world.shelf.history(child)[0].events[1];
    let warren_model::Event::ExecutionStarted(started) = started else { panic!("{started:?}") };
    assert_eq!(started.traceparent, Some(under(execution("p"), 1)));
}

#[test]
fn h4_what_is_published_after_a_crash_is_in_the_trace_again() {
    let mut world = World::new(registry());
    traced(&mut world, "a", "twice", "1");
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Publish { .. })) {}
    world.crash();
    world.settle();
    assert_eq!(world.outcome("a"), &Ok(json("4")));
    assert_eq!(traceparents(&world), [Some(under(execution("a"), 1)), Some(under(execution("a"), 2))]);
}

/// A world in which somebody wants to see spans.
fn watched() -> World {
    World::with(registry(), Settings { traces: true, ..Settings::default() })
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

/// When a span began and ended, in seconds of the world.
fn seconds(span: &Span) -> (i64, i64) {
    let second = |ns: u64| i64::try_from(ns / 1_000_000_000).unwrap() - time(0).as_second();
    (second(span.start_ns), second(span.end_ns))
}

/// The one span of this id.
fn find(world: &World, id: u64) -> &Span {
    let found: Vec<&Span> = world.spans.iter().filter(|span| span.id == id).collect();
    let [span] = found[..] else { panic!("{id:x}: {found:?}") };
    span
}

#[test]
fn every_span_of_a_parent_and_its_child_hangs_on_the_start() {
    let mut world = watched();
    traced(&mut world, "p", "parent", "1");
    world.settle();
    let root: TraceContext = TRACE.parse().unwrap();
    let ids: BTreeSet<u64> = world.spans.iter().map(|span| span.id).collect();
    assert_eq!(ids.len(), world.spans.len(), "none comes twice");
    for span in &world.spans {
        assert_eq!(span.trace, root.trace);
        assert!(span.parent == root.span || ids.contains(&span.parent), "{span:?}");
    }
    let mut found = names(&world.spans);
    found.sort_unstable();
    let expected = ["activity double", "activity double", "child twice", "orchestrator parent", "orchestrator twice"];
    assert_eq!(found, [&expected[..], &["turn"; 5]].concat());
    assert_eq!(find(&world, execution_span(execution("p"))).parent, root.span);
    let child = world.record("child-1").execution;
    assert_eq!(find(&world, execution_span(child)).parent, action_span(execution("p"), ActionId(1), 1));
}

#[test]
fn a_span_lasts_from_when_it_was_asked_for_until_its_end_was_committed_also_across_a_failover() {
    let mut world = watched();
    traced(&mut world, "a", "sleeper", "10");
    world.settle();
    assert_eq!(names(&world.spans), ["turn"], "the timer and the execution have yet to end");
    world.second = 4;
    world.end_session();
    world.settle();
    assert_eq!(world.spans.len(), 1, "a replay makes no span");
    world.wait(9);
    let of = execution("a");
    assert_eq!(seconds(find(&world, action_span(of, ActionId(1), 1))), (0, 13));
    assert_eq!(seconds(find(&world, execution_span(of))), (0, 13));
    assert_eq!(seconds(find(&world, turn_span(of, 1))), (13, 13));
    assert_eq!(world.spans.len(), 4);
}

#[test]
fn a_turn_whose_commit_was_lost_makes_its_span_when_it_is_run_again() {
    let mut world = watched();
    traced(&mut world, "a", "twice", "1");
    world.deliver();
    while world.act_on(|effect| !matches!(effect, Effect::Commit(_))) {}
    assert_eq!(names(&world.spans), [""; 0], "nothing is committed");
    world.crash();
    world.settle();
    find(&world, turn_span(execution("a"), 0));
    find(&world, execution_span(execution("a")));
}

#[test]
fn what_an_execution_no_longer_waits_for_ends_with_it_and_failures_say_why() {
    let mut world = watched();
    traced(&mut world, "a", "adder", "0");
    traced(&mut world, "p", "patient", "1");
    traced(&mut world, "s", "sleeper", "\"no number\"");
    world.settle();
    world.send("p", "t", Command::Terminate { reason: None, recursive: false });
    world.settle();
    let of = execution("p");
    assert_eq!(find(&world, execution_span(of)).error.as_deref(), Some("terminated"));
    for child in [1, 2] {
        assert_eq!(find(&world, action_span(of, ActionId(child), 1)).name, "child adder");
    }
    assert_eq!(find(&world, execution_span(execution("s"))).error.as_deref(), Some("invalid_input"));
    assert!(!world.spans.iter().any(|span| span.id == execution_span(execution("a"))), "it still waits");
}

#[test]
fn nothing_is_shown_of_a_trace_that_nobody_wants_and_to_nobody() {
    let mut world = World::new(registry());
    traced(&mut world, "a", "twice", "1");
    world.settle();
    assert_eq!(world.spans, []);
    let mut world = watched();
    world.start("a", "twice", "1");
    let Command::Start(mut request) = start("twice", "1") else { unreachable!("it is a start") };
    request.traceparent = Some(TRACE.replace("-01", "-00"));
    world.send("b", "s", Command::Start(request));
    world.settle();
    assert_eq!(world.spans, []);
    assert!(traceparents(&world).iter().flatten().all(|trace| trace.ends_with("-00")), "it is passed on all the same");
}
