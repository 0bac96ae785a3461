//! A trace goes from an instance's start through everything that the instance asks for.

use warren_broker::HeaderValue;
use warren_model::{ActionId, AnswerWhen, Command, ExecutionId, TraceContext, execution_id, trace::action_span};

use super::{
    super::Effect,
    registry,
    world::{World, id, json, start},
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
