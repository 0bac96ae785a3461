use warren_model::{Action, InboxMessage};

use super::*;
use crate::{Progress, testing::*};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn traced_start() -> InboxMessage {
    let started = ExecutionStarted { traceparent: Some(TRACE.into()), ..started() };
    InboxMessage::Start { execution: execution(), cause: cause(), started }
}

/// Asks for a task, then for a child, then goes on as a new execution.
fn code(told: &[Event]) -> (Vec<Action>, Progress) {
    let has = |is_it: fn(&Event) -> bool| told.iter().any(is_it);
    let actions = vec![task(1, "charge"), child(2, "along")];
    if has(|event| matches!(event, Event::EventRaised(_))) {
        return (actions, Progress::ContinuedAsNew { input: json("2"), carried: vec![] });
    }
    let count = 1 + usize::from(has(|event| matches!(event, Event::TaskCompleted { .. })));
    (actions[..count].to_vec(), Progress::Waiting)
}

fn traceparents(messages: &[Outgoing]) -> Vec<Option<&str>> {
    messages.iter().map(traceparent).collect()
}

fn traceparent(message: &Outgoing) -> Option<&str> {
    match message {
        Outgoing::WorkItem { traceparent, .. } => traceparent.as_deref(),
        Outgoing::ToPartition(PartitionMessage::ChildStart(start)) => start.started.traceparent.as_deref(),
        Outgoing::ToPartition(_) | Outgoing::Outcome { .. } => None,
    }
}

#[test]
fn what_a_traced_execution_asks_for_is_in_its_trace_under_a_span_of_its_own() {
    let mut story = Story::of(code);
    let first = story.turn(&[traced_start()]);
    let second = story.turn(&[done(1, "1")]);
    let trace: TraceContext = TRACE.parse().unwrap();
    let under = |action| trace.under(action_span(execution(), ActionId(action), 1)).to_string();
    assert_eq!(traceparents(&first.messages), [Some(under(1).as_str())]);
    assert_eq!(traceparents(&second.messages), [Some(under(2).as_str())]);
    let sender = Sender::restore(&story.live.instance.record, &story.history);
    let rebuilt: Vec<Outgoing> =
        story.history.iter().flat_map(|turn| messages(&sender, &turn.events, usize::MAX)).collect();
    assert_eq!(rebuilt, [first.messages, second.messages].concat(), "h4: the same after a crash");
}

#[test]
fn an_execution_that_continues_stays_in_the_trace_of_the_first() {
    let mut story = Story::of(code);
    story.turn(&[traced_start()]);
    story.turn(&[done(1, "1")]);
    let third = story.turn(&[raise("go")]);
    let [InboxMessage::Start { started, .. }] = &third.follow_up[..] else { panic!("{third:?}") };
    assert_eq!(started.traceparent.as_deref(), Some(TRACE));
}

#[test]
fn without_a_trace_nothing_is_carried() {
    for traceparent in [None, Some("no trace context".to_owned())] {
        let mut story = Story::of(code);
        let started = ExecutionStarted { traceparent, ..started() };
        let turn = story.turn(&[InboxMessage::Start { execution: execution(), cause: cause(), started }]);
        assert_eq!(traceparents(&turn.messages), [None]);
    }
}
